import { type ProgramCase, table } from "../case.ts";
import { ARCHIVES, FIXTURES } from "../fixtures.ts";
import { sorted } from "../normalise.ts";

/** One program per line, run on its own: the ones of Debian's coreutils that need no other process, and a few small ones beside. */
const LINES = String.raw`
arch
!b2sum noise.bin
b2sum -l 128 words.txt
base32 words.txt
base64 -w 40 noise.bin
base64 -d b64.txt
basenc --z85 -d z85.txt
basenc --base16 words.txt
basename -s .txt -a words.txt dir/x.txt
cat -A text.txt
cat words.txt - < left.txt
cat dir
chmod -v 640 words.txt text.txt
chmod -R go-rwx dir
chmod +t dir
cksum noise.bin words.txt
cksum -a sha3 words.txt
cksum -a sm3 words.txt
cksum -c sums.txt
comm left.txt right.txt
!cp -av dir copy
cp --sparse=always zeros.bin sparse
cp --reflink=auto noise.bin copied
cp -u words.txt text.txt
cp words.txt words.txt
csplit table.txt 10 20
csplit -z -f part words.txt /date/ '{*}'
cut -d, -f1,3 --output-delimiter=: csv.txt
cut -b 1-3,5 words.txt
!date -u -d '2024-02-29 12:34:56.789 +0230' '+%F %T.%N %Z %G-W%V-%u %s'
date -u -d '@0' -R
date -u -d '1 month ago 2020-03-31' --iso-8601
date -u -r words.txt
date -d 'TZ="America/New_York" 2024-07-04 09:00'
date -d nonsense
dd if=noise.bin bs=100 count=3 skip=2 status=none
dd if=words.txt of=upper conv=ucase,sync ibs=16 obs=7 status=noxfer
dd if=noise.bin of=o bs=1k seek=1 conv=sparse status=none
dir -C -w 60
dircolors -b
dirname a/b/c d
du -a -b dir
du -s --apparent-size .
echo -e 'a\x41\0101\c' unseen
expand -t 3,9 text.txt
expr 5 '*' '(' 3 + 4 ')' = 35
expr substr abcdef 2 3
expr 1 / 0
expr 123456789012345678901234567890 '*' 987654321098765432109876543210
!factor 18446744073709551617 4611686014132420609 120
fmt -w 40 text.txt
fold -s -w 25 text.txt
head -n -10 words.txt
head -q -c 20 words.txt text.txt
hostid --help
id -u
id -G
id
install -D -m 600 words.txt a/b/c
join left.txt right.txt
join -a 1 -e NONE -o 0,1.2,2.2 left.txt right.txt
link words.txt hard
ln -srv dir/one dir/sub/up
ln -T words.txt dir
logname --version
!ls -lan --time-style=full-iso
ls -lR
ls --quoting-style=c
ls -F --color=always
ls -Q -m
ls -s -1 --block-size=1
ls --sort=extension -r
ls -Z missing
ls --hyperlink=never -x -w 40
md5sum --tag words.txt
md5sum -c sums.txt
mkdir -pv a/b/c
mkdir -m 1777 t
mkfifo -m 600 f
mknod f p
mktemp --help
mv -v words.txt dir
mv -n words.txt text.txt
mv -b words.txt text.txt
nl -s: -w3 -ba text.txt
nproc --all --ignore=1000
numfmt --to=iec 1024 123456789 1
numfmt --from=si --format=%10.2f 1.5K 2M
!od -A d -t x4z -t fD -N 48 noise.bin
od -t a -t u8 -N 33 noise.bin
od -S 5 noise.bin
od --endian=big -t d4 -N 32 noise.bin
paste words.txt numbers.txt
pathchk -p 'a b'
pr -l 20 -h title -D x words.txt
pr -3 -t -l 10 table.txt
printenv TZ HOME
printf '%q %s %5.3f %#x %b\n' 'a b' s 2.71828 4096 '\u00e9'
printf '%d\n' 12abc
ptx words.txt
pwd -P
readlink -v link words.txt
realpath --relative-to=dir words.txt
realpath missing/x
rm -v words.txt
rm -rv dir
rm dir missing
rmdir -v dir/sub
rmdir -p a
seq 0.1 0.1 1
seq -f '%05.1f' 3
seq 99999999999999999999 100000000000000000001
sha256sum noise.bin text.txt
sha1sum -b words.txt
sha224sum words.txt
sha384sum words.txt
sha512sum words.txt
sha256sum -c sums.txt
shred -n 1 --random-source=noise.bin -u words.txt
shuf --random-source=noise.bin words.txt
shuf -i 1-10 -n 3 --random-source=noise.bin
sleep 0.02
!sort words.txt
sort -R --random-source=noise.bin words.txt
sort -g numbers.txt
sort -h -r numbers.txt
sort -V -u versions.txt
sort -k3,3n -k2 table.txt
sort -c words.txt
sort -m sorted1 sorted2
sort -o words.txt words.txt
sort -S 100k -T . --parallel=1 repeat.txt
sort -t, -k2.2,2 --debug csv.txt
split -n 3 table.txt
split -C 100 -d table.txt p
split -n l/2/4 table.txt
!stat -c '%n|%s|%a|%A|%F|%h|%y|%Y|%u|%g|%b|%B|%f' words.txt dir link
stat -L link --printf='%N %s\n'
stat missing
stat -f -c '%n %l' .
stty
stty size
sum -s noise.bin
sync words.txt
tac words.txt
tac -s an words.txt
tail -n 5 words.txt
tail -c +19990 noise.bin
tail -n 2 -v words.txt left.txt
tee a b < words.txt
test -d dir
test -e missing
test words.txt -ef link
test 5 -eq x
[ a '<' b ]
timeout --version
touch -t 200102030405.06 words.txt new
touch -h -d '2002-02-02 02:02:02.5' link
touch -a -m -d @1 dir
touch words.txt/x
tr a-y b-z < words.txt
tr -s '[:upper:]' '*' < text.txt
tr -dc 'a-e\n' < words.txt
true --version
truncate -s +100 words.txt
truncate -r noise.bin empty.txt
tsort pairs.txt
tsort cycle.txt
tty
uname -m
uname -s
uname -o
unexpand --first-only text.txt
uniq -c sorted1
uniq -i -D words.txt
unlink dir
users missing
vdir -d dir
wc -lwcm text.txt words.txt
wc --files0-from=- < empty.txt
who missing
whoami --help
yes --version
false
`;

const OTHERS = String.raw`
hello
hello -g greetings
grep -P '(?<=a)p+' words.txt
grep -c . words.txt text.txt
grep -rn 3 dir
!sed -E 's/^(.)(.*)$/\2\1/;s/a/A/2' words.txt
sed -n '$=' words.txt
sed -s -i '1d' left.txt right.txt
sed --debug -n 's/a/b/p' words.txt
mawk '{ s += $3 * $4 } END { printf "%.10g %d\n", s, NR }' table.txt
mawk -F, '{ print $2 "-" NF }' csv.txt
mawk 'BEGIN { srand(1); print exp(1), atan2(1, 2), sin(3), sprintf("%c", 256) }'
gzip -k -9 repeat.txt
gzip -n -c noise.bin
gzip -l fixed.gz
gzip -d -c fixed.gz
gzip -t words.txt
tar cf a.tar --mtime=@0 --owner=0 --group=0 dir
tar tvf a.tar
tar xvf fixed.tar
find . -newer missing
find dir -type f -printf '%p %s %m %TY\n'
find . -regex '.*/[tw].*' -size -2
xargs --help
diff -y left.txt right.txt
!diff -u left.txt right.txt
cmp left.txt right.txt
bc -l -q bc.txt
dc -e '20 k 2 v p 3 7 ^ p'
file words.txt noise.bin dir link /usr/bin/hello
dash -c 'x=5; echo $((x * 7)); for i in 1 2 3; do echo $i; done; exit 3'
`;

const files = {
  ...ARCHIVES,
  "b64.txt": "SGVsbG8sIHdvcmxkIQo=\n",
  "z85.txt": "HelloWorld",
  "zeros.bin": new Uint8Array(65536),
  "versions.txt": "1.10\n1.9\n1.9a\n2.0~rc1\n2.0\n",
  sorted1: "a\na\nb\nd\n",
  sorted2: "b\nc\nd\n",
  "pairs.txt": "a b\nb c\na d\nd c\n",
  "cycle.txt": "a b\nb a\n",
  "sums.txt": "b026324c6904b2a9cb4b88d6d61c81d1  dir/one\n00000000000000000000000000000000  dir/two\n",
  "bc.txt": "scale=30\n4*a(1)\n10/3\n2^128\nibase=16\nFF\nquit\n",
};

const input = { ...FIXTURES, ...files };

export const coreutils: readonly ProgramCase[] = [
  ...table("coreutils", [], LINES, { files }, input),
  ...table("coreutils", [], "env -i A=1 B=2\nenv -u TZ", { normalise: [sorted] }),
  ...table("tools", [], OTHERS, { files }, input),
].map((test) => ({ ...test, argv: [`/usr/bin/${test.argv[0] ?? ""}`, ...test.argv.slice(1)] }));
