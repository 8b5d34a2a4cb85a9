import { type Content, type ProgramCase, raw, table } from "../case.ts";
import { ARCHIVES, FIXTURES } from "../fixtures.ts";
import { sorted } from "../normalise.ts";

const BUSYBOX = ["/usr/bin/busybox"];

/** Applets that read input and write output. */
const FILTERS = String.raw`
!sha256sum noise.bin words.txt
sha1sum noise.bin
sha512sum noise.bin
sha3sum noise.bin
md5sum noise.bin dir/one missing
cksum noise.bin text.txt
crc32 noise.bin
sum noise.bin
!awk '{ s[$2] += $3; n[$2]++ } END { for (k in s) print k, s[k], n[k] }' table.txt
awk 'BEGIN { for (i = 1; i <= 10; i++) { x += sqrt(i) * log(i + 1); printf "%d %.6f %s\n", i, x, substr("abcdefghij", i, 3) } }'
awk -F, -v OFS=: 'NR > 1 { $1 = $1; print; n++ } END { print n, NR, NF }' csv.txt
awk '{ gsub(/[aeiou]/, "<&>"); print toupper($0), length($0) }' words.txt
awk 'BEGIN { while ((getline l < "words.txt") > 0) a[l]++; close("words.txt"); print a["apple"], a["fig"], a["none"] + 0 }'
awk '{ print > ("out." length($0)) }' words.txt
awk 'BEGIN { printf "%c%5.2f|%-8s|%08x|%e\n", 65, 3.14159, "ab", 48879, 12345.678; print 2^10, 7%3, -7%3, int(-3.9), 1e300*1e300, "3x"+4 }'
awk 'match($0, /an+/) { print RSTART, RLENGTH, $0 } { split($0, c, ""); r = ""; for (i = length($0); i; i--) r = r c[i]; print r }' words.txt
awk 'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } BEGIN { print fib(17) }'
!sed -n 's/\(a\)\(p*\)/[\2\1]/gp' words.txt
sed -e '2,4d' -e '/fig/!s/e/E/2' -e '$a\the end' words.txt
sed '1!G;h;$!d' words.txt
sed -i.bak 's/apple/APPLE/;y/bn/BN/' words.txt
sed -n '/date/,/kiwi/{=;p}' words.txt
sed ':a;N;$!ba;s/\n/ /g' words.txt
sed -E 's/([a-z])([a-z]*)/\2\1ay/' words.txt
sort words.txt
sort -u -r words.txt
sort -n numbers.txt
sort -g numbers.txt
sort -h numbers.txt
sort -t ' ' -k 3,3n -k 2,2r table.txt
uniq -c words.txt
uniq -d words.txt
cut -d ' ' -f 2,4 table.txt
cut -c 2-5,8- text.txt
tr 'a-z' 'A-Z' < text.txt
tr -d '[:space:]' < text.txt
tr -cs '[:alnum:]' '\n' < text.txt
wc words.txt text.txt noise.bin
wc -L text.txt
head -n 3 words.txt table.txt
head -c 100 noise.bin
tail -n 4 words.txt
tail -c 33 text.txt
tail -n +37 table.txt
!od -A x -t x1 -N 64 noise.bin
od -t d2 -j 10 -N 40 noise.bin
od -c text.txt
od -t f8 -N 80 noise.bin
hexdump -C -n 80 noise.bin
hexdump -e '4/4 "%08x " "\n"' -n 64 noise.bin
xxd -l 64 noise.bin
xxd -r hex.txt
base64 noise.bin
base64 -d b64.txt
base32 words.txt
uuencode words.txt name
expr 17 '*' 3 + 4 % 3
expr abcdef : 'abc\(.*\)'
expr length hello
test -f words.txt -a -d dir
test -x words.txt
[ 3 -lt 2 ]
seq 1 3 20
seq -w 8 11
seq -s , 1 0.5 3
factor 1 97 100 1234567890 9223372036854775807
fold -w 17 text.txt
fold -s -w 30 text.txt
expand -t 4 text.txt
unexpand -a text.txt
nl words.txt
nl -b a -n rz text.txt
tac words.txt
rev text.txt
strings -n 6 noise.bin
comm sorted1 sorted2
comm -12 sorted1 sorted2
paste -d : left.txt right.txt
paste -s -d , words.txt
diff left.txt right.txt
diff -u left.txt right.txt
diff -r dir dir
diff -q words.txt text.txt
cmp words.txt noise.bin
cmp -l left.txt right.txt
printf '%5d|%-5s|%05.1f|%x|%b\n' 42 ab 2.25 255 'a\tb' 7 cd 3 16 '\x41'
printf '%q\n' 'a b'
echo -e 'a\tb\\n\101'
echo -n no newline
!dc -e '2 100 ^ p 16 o 255 p'
dc -e '5 k 2 v p 10 3 / p [la 1 + d sa 5 >x] sx 0 sa lx x la p'
bc -q bc.txt
bc -l -q bcl.txt
grep -n an words.txt
grep -v -c e words.txt
grep -E '^(a|b).*(e|a)$' words.txt
grep -o '[aeiou]\+' words.txt
grep -r -l 22 dir
grep -i -w THE text.txt
grep -A 1 -B 1 date words.txt
grep nothing words.txt
grep x missing
cat words.txt - empty.txt < left.txt
cat -n text.txt
cat -A text.txt
tee copy.txt < words.txt
tee -a words.txt left.txt < csv.txt
cal 2 2024
cal -y 1999
basename /usr/lib/x.so .so
dirname /usr/lib/x.so
date -u -d @1000000000
date -u -d '2024-02-29 12:34:56' '+%Y-%m-%dT%H:%M:%S %j %a %b %s'
date -u -d '2023-13-45'
printenv TZ
id -u
uname -m
uname -s
uname -o
kill -l
ascii
ipcalc -b -n -m 192.168.1.77/20
getopt ab:c -a -b 3 -- x y
cat missing
true
false
yes-is-no-applet
--list
nproc --ignore=1000
shuf -e a
ts '%s' < empty.txt
split -l 10 table.txt part.
split -b 7000 noise.bin n.
truncate -s 100 words.txt
fallocate -l 5000 new.bin
xargs < empty.txt
`;

/** Applets that work on files. */
const FILES = String.raw`
!ls -l
ls -lRn --time-style=+x
ls -1aF
ls -ld dir/one dir
ls -lS
ls -lt dir
ls -A1p dir
ls -lh noise.bin
ls missing dir/one
ls -L link
find . -type f
find . -name '*.txt' -size -1
find dir -type d -mindepth 1 -print0
find . -perm 644 -newer words.txt
find . -type l -ls
find . -path './dir/*' -prune -o -name 't*' -print
find dir -depth -delete
!tar cf all.tar dir words.txt link
!tar xvf fixed.tar
tar tvf fixed.tar
tar xf fixed.tar -C dir
tar tf words.txt
cpio -t < fixed.cpio
cpio -id < fixed.cpio
!gzip -k repeat.txt
gzip -9 repeat.txt noise.bin
gzip -c noise.bin
gzip -d words.txt
gunzip fixed.gz
gunzip -t broken.gz
bzip2 -k repeat.txt
bzip2 -c noise.bin
bunzip2 -c fixed.bz2
unxz -c fixed.xz
unlzma -c words.txt
lzop -c repeat.txt
dd if=noise.bin of=out.bin bs=512 count=7 skip=3 seek=2
dd if=words.txt bs=10 conv=swab count=2
dd if=noise.bin of=words.txt bs=1 count=5 conv=notrunc
dd if=/dev/zero of=zero.bin bs=4k count=3
dd if=missing of=x
dd if=/dev/zero of=big.bin bs=3M count=1
cp words.txt copy
cp -r dir copy
cp -a dir copied
cp -l words.txt hard
cp -s words.txt soft
cp -p noise.bin dir/sub
cp words.txt missing/x
mv words.txt moved
mv dir renamed
mv words.txt text.txt dir
mv missing x
ln words.txt hard
ln -s ../words.txt dir/back
ln -sf csv.txt link
ln words.txt text.txt
rm words.txt dir/one
rm dir
rm -r dir
rm -f missing
rmdir dir
mkdir -p a/b/c -m 700
mkdir dir
touch -d '2001-01-01 00:00:00' new words.txt
touch -r words.txt empty.txt
touch missing/x
chmod 600 words.txt
chmod u+x,g-r,o=w text.txt
chmod -R a-w dir
chmod 999 words.txt
!stat -c '%n %s %a %F %h %Y %u %g %b %B' words.txt dir link
stat -L -c '%n %F' link
stat missing
stat -f -c '%s %l' .
readlink link
readlink -f link
readlink words.txt
realpath dir/../link
du -a dir
du -s -k .
unlink words.txt
unlink dir
link words.txt l2
mkfifo pipe
mknod pipe2 p
install -m 750 words.txt installed
patch -p0 -i fix.patch
patch -R -p0 -i fix.patch
ar t fixed.tar
unzip -l words.txt
tree dir
which words.txt
pwd
sync
fsync words.txt
usleep 1000
sleep 0.01
setsid
tty
stty
test -t 0
test words.txt -nt missing
test words.txt -ot dir/one
od -N 4 /dev/zero
cat /dev/null
dd if=/dev/urandom of=/dev/null bs=16 count=4
readlink /proc/self/cwd
head -c 3 /proc/self/stat -q missing
ls dir/sub/../sub
nice
chown 99999:99999 words.txt
chroot missing
`;

const SHELL = raw`
!sh -c 'i=0; s=0; while [ $i -lt 2000 ]; do s=$((s+i*i)); i=$((i+1)); done; echo $s'
sh -c 'echo $1 $# "$@"' name a 'b c'
sh -c 'for f in *.txt; do echo "$f"; done; echo dir/*'
sh -c 'x=hello; echo \${x#he} \${x%lo} \${#x} \${y:-none} \${x/l/L} \${x:1:3}'
sh -c 'read a b; echo "$b-$a"; read c || echo end' < left.txt
sh -c 'while read -r k v; do echo "$v=$k"; done < left.txt > swapped; read x < swapped; echo $x'
sh -c 'f() { local a=$1; [ $a -le 1 ] && { r=1; return; }; f $((a-1)); r=$((r*a)); }; f 12; echo $r'
sh -c 'case abc in a*) echo A;; *) echo other;; esac; set -- 3 1 2; shift; echo $*; exit 7'
sh -c 'trap "echo bye" EXIT; trap "echo usr1" USR1; kill -USR1 $$; echo go'
sh -c 'kill -TERM $$; echo not reached'
sh -c 'kill -SEGV $$'
sh -c 'exec 3> fd3; echo three >&3; exec 3>&-; exec < fd3; read l; echo $l'
sh -c 'set -e; false; echo no'
sh -c 'set -u; echo $undefined'
sh -c 'echo $((0x1f + 010 + 7/2 - 5%3 << 2)) $((1>2?3:4)) $((~0))'
sh -c 'cd dir && pwd && cd - && umask 077 && : > private && echo ok'
sh -c 'printf "%s\n" "$(( 9223372036854775807 + 1 ))"; echo $((1/0))'
sh -c 'exec missing-program'
sh -c 'exec ./words.txt'
sh -c '. ./script.sh; echo $FROM'
sh -c 'ulimit -n; ulimit -c 0; ulimit -c'
sh -c 'if then'
sh -c 'getopts ab:c o -a -b 5; echo $o; eval "q=\$HOME"; echo $q; type cd; alias x=y; alias'
sh script.sh
ash -c 'echo ash; exit 300'
`;

/** Archives and other files with known bytes, so that what an applet unpacks is known. */
const FILES_FOR_APPLETS: Readonly<Record<string, Content>> = {
  "hex.txt": "0000000: 4865 6c6c 6f2c 2077 6f72 6c64 210a            Hello, world!.\n",
  "b64.txt": "SGVsbG8sIHdvcmxkIQo=\n",
  sorted1: "a\nb\nd\n",
  sorted2: "b\nc\nd\n",
  "bc.txt": "scale=20\n4*7/3\n2^200\nsqrt(2)\nobase=16\n255\nquit\n",
  "bcl.txt": "s(1)\nc(1)\na(1)*4\nl(10)\ne(1)\nquit\n",
  "script.sh": "FROM=script\necho in $0\n",
  "fix.patch": "--- left.txt\n+++ left.txt\n@@ -1,4 +1,4 @@\n a 1\n-b 2\n+b TWO\n c 3\n e 5\n",
  ...ARCHIVES,
};

const inputs = { ...FIXTURES, ...FILES_FOR_APPLETS };

export const busybox: readonly ProgramCase[] = [
  ...(
    [
      ["-E", "ADDED=a value,x=y", "-E", "TZ=CET"],
      ["-U", "TZ", "-U", "MISSING"],
      ["-U", "TZ", "-E", "TZ=late"],
    ] as const
  ).map((options) => ({
    name: `busybox: env under ${options.join(" ")}`,
    argv: [...BUSYBOX, "env"],
    options,
    normalise: [sorted],
  })),
  { name: "busybox: another name by -0", argv: [...BUSYBOX, "one", "two"], options: ["-0", "echo"] },
  { name: "busybox: another processor", argv: [...BUSYBOX, "uname", "-m"], options: ["-cpu", "rv64"] },
  { name: "busybox: env", argv: [...BUSYBOX, "env"], normalise: [sorted] },
  ...table("busybox", BUSYBOX, FILTERS, { files: FILES_FOR_APPLETS }, inputs),
  ...table("busybox", BUSYBOX, FILES, { files: FILES_FOR_APPLETS }, inputs),
  ...table("busybox", BUSYBOX, SHELL, { files: FILES_FOR_APPLETS }, inputs),
];
