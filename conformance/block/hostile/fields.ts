/** Where the fields of each format's header are. Sources: the specifications that the format packages name. */
export type ByteOrder = "big" | "little";

interface Header {
  readonly order: ByteOrder;
  readonly fields: readonly (readonly [name: string, at: number, bytes: number])[];
}

/** Fields one behind the other: "name:bytes". */
function row(at: number, text: string): [string, number, number][] {
  let here = at;
  return text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => {
      const [name = "", bytes = "4"] = word.split(":");
      here += Number(bytes);
      return [name, here - Number(bytes), Number(bytes)];
    });
}

const big = (...fields: [string, number, number][][]): Header => ({ order: "big", fields: fields.flat() });
const little = (...fields: [string, number, number][][]): Header => ({ order: "little", fields: fields.flat() });
const slots = Array.from({ length: 8 }, (_, i) => row(208 + 48 * i, "state iterations salt:32 offset stripes"));

/** By format. */
export const FIELDS: Readonly<Record<string, Header>> = {
  qcow2: big(row(0, "magic version backing_file_offset:8 backing_file_size cluster_bits size:8 crypt_method l1_size l1_table_offset:8 refcount_table_offset:8 refcount_table_clusters nb_snapshots snapshots_offset:8 incompatible_features:8 compatible_features:8 autoclear_features:8 refcount_order header_length compression_type:1")), // prettier-ignore
  qcow: big(row(0, "magic version backing_file_offset:8 backing_file_size mtime size:8 cluster_bits:1 l2_bits:1 padding:2 crypt_method l1_table_offset:8")), // prettier-ignore
  vmdk: little(row(0, "magic version flags capacity:8 grain_size:8 descriptor_offset:8 descriptor_size:8 num_gtes_per_gt rgd_offset:8 gd_offset:8 overhead:8 unclean:1 newlines:4 compression:2")), // prettier-ignore
  vdi: little(row(64, "signature version header_size image_type image_flags"), row(340, "offset_bmap offset_data cylinders heads sectors sector_size unused disk_size:8 block_size block_extra blocks_in_image blocks_allocated")), // prettier-ignore
  vpc: big(row(0, "cookie:8 features version data_offset:8 timestamp creator creator_version creator_os original_size:8 current_size:8 cylinders:2 heads:1 sectors:1 type checksum uuid:16 saved:1"), row(512, "cookie:8 next:8 table_offset:8 version max_table_entries block_size checksum")), // prettier-ignore
  vhdx: little(row(0x10000, "signature checksum sequence:8 file_guid:16 data_guid:16 log_guid:16 log_version:2 version:2 log_length log_offset:8"), row(0x30000, "signature checksum entries reserved guid:16 offset:8 length required guid:16 offset:8 length required")), // prettier-ignore
  qed: little(row(0, "magic cluster_size table_size header_size features:8 compat_features:8 autoclear_features:8 l1_table_offset:8 image_size:8 backing_filename_offset backing_filename_size")), // prettier-ignore
  cow: big(row(0, "magic version"), row(1032, "mtime size:8 sectorsize")),
  parallels: little(row(0, "magic:16 version heads cylinders tracks bat_entries nb_sectors:8 inuse data_off flags ext_off:8")), // prettier-ignore
  luks: big(row(0, "magic:6 version:2 cipher_name:32 cipher_mode:32 hash_spec:32 payload_offset key_bytes digest:20 digest_salt:32 digest_iterations uuid:40"), ...slots), // prettier-ignore
  bochs: little(row(64, "version header catalog bitmap extent reserved disk:8 disk2:8")),
  cloop: big(row(128, "block_size blocks")),
  dmg: big(),
  ova: big(),
  raw: big(),
};
