import { type ProgramCase, raw as r, scripts } from "../case.ts";

const SCRIPTS: readonly string[] = [
  r`echo "$BASH_VERSION \${BASH_VERSINFO[5]}"; echo $0 $# $-`,
  r`a=(one two "three 3"); echo "\${a[@]}" \${#a[@]} "\${a[2]}" "\${!a[@]}"; a+=(four); unset 'a[0]'; declare -p a`,
  r`declare -A m=([x]=1 [y]=2); m[z]=$((m[x] + m[y])); for k in x y z; do echo $k=\${m[$k]}; done; echo \${#m[@]}; [[ -v m[x] ]] && echo set`,
  r`echo $((2**62)) $((0xff ^ 0x0f)) $((-7 / 2)) $((-7 % 2)) $((1 << 40)) $((36#zz)) $((5 > 3 && 2 < 1)) $((x = 5, x++ + ++x))`,
  r`s=0; for ((i = 0; i < 20000; i++)); do ((s += i * i % 7)); done; echo $s`,
  r`f() { (( $1 < 2 )) && { R=$1; return; }; f $(($1 - 1)); local p=$R; f $(($1 - 2)); R=$((R + p)); }; f 14; echo $R`,
  r`s="hello world"; echo \${s^} \${s^^} \${s//o/0} \${s:6} \${s: -5:3} \${#s} \${s#* } \${s%% *} \${s@Q}`,
  r`trap 'echo exit $?' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; kill -USR1 $$; echo after; exit 3`,
  r`trap 'echo err $LINENO' ERR; false; true; ! true; trap 'echo debug' DEBUG; :; trap - DEBUG; trap -p`,
  r`trap '' TERM; kill -TERM $$; echo survived; trap - TERM; kill -TERM $$; echo not reached`,
  r`kill -SEGV $$; echo not reached`,
  r`kill -ABRT $$; echo not reached`,
  r`kill -KILL $$; echo not reached`,
  `cat_() { while IFS= read -r l; do printf '<%s>\\n' "$l"; done; }; cat_ <<EOF
line one $((1 + 2))
  \\$escaped
EOF
cat_ <<'EOF'
raw $x
EOF
cat_ <<-EOF
	tabs
	EOF
cat_ <<< "here string"`,
  r`mapfile -t lines < words.txt; echo \${#lines[@]} \${lines[3]} \${lines[-1]}; printf '%s,' "\${lines[@]:2:4}"`,
  r`while read -r a b c; do ((t += c)); done < table.txt; echo $t`,
  r`printf '%s %5.2f %x %o %e %q %(%Y)T %b\n' a 3.14159 255 8 12345 'a b' 0 'x\ty'; printf -v v '%03d' 7; echo $v`,
  r`[[ foo123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "\${BASH_REMATCH[@]}"; [[ abc == a* ]] && echo glob; [[ a < b ]] && echo less`,
  r`shopt -s extglob nullglob globstar
echo *.txt; echo **/t*; echo !(*.txt); echo none*; case foobar in +(foo|bar)) echo ext;; esac`,
  r`exec 3> three 4< words.txt; echo to three >&3; read -u 4 x; echo $x; exec 3>&- 4<&-; read y < three; echo $y; echo err >&2`,
  r`exec {fd}<> rw; echo hi >&$fd; echo $((fd >= 10)); exec {fd}>&-; [[ -s rw ]] && echo not empty`,
  r`set -e; f() { false; echo in f; }; f || echo caught; false; echo not reached`,
  r`set -u; echo $nothing; echo not reached`,
  r`set -x; a=5; b=$((a * 2)); [[ $b -gt 5 ]]; echo $b`,
  r`set -o pipefail noclobber; echo x > words.txt; echo $?; echo y >| words.txt`,
  r`declare -i n=5; n+=3; declare -r ro=1; declare -l low=ABC; declare -u up=abc; echo $n $low $up; ro=2; echo status $?`,
  r`f() { local -n ref=$1; ref=changed; }; v=old; f v; echo $v; unset v; echo \${v-unset} \${v:=assigned} $v \${v:+alt}`,
  r`echo {1..5} {a..e..2} x{1,2}{a,b} {01..03}; echo ~nobody/x ~+; set -- a b c d; echo \${@:2:2} $# "$*"; shift 2; echo $1`,
  r`IFS=:; set -- a:b c; p="x:y:z"; echo $p; read -ra q <<< "$p"; echo \${q[1]}; echo "$*"`,
  r`getopts_() { while getopts :ab:c o; do echo $o $OPTARG $OPTIND; done; }; getopts_ -a -b val -cx -- rest`,
  r`select_() { PS3='? '; select w in x y; do echo got $w $REPLY; break; done; }; select_ <<< 2`,
  r`cd dir; pwd; cd ..; pushd dir/sub > /dev/null; popd > /dev/null; echo $OLDPWD; umask 027; : > masked; umask -S`,
  r`test -f words.txt && [ -d dir -a ! -e nothing ] && [[ link -ef words.txt ]] && echo files; [ 1 -eq x ]; echo $?`,
  r`exec /nonexistent/program`,
  r`exec ./words.txt; echo still here`,
  r`source ./lib.sh arg; echo $LIB; . missing.sh; echo $?`,
  r`eval 'x=1; y=$x'; echo $y; type -t cd if f echo cat; hash -r; command -v echo; builtin echo b; enable -n echo; type -t echo`,
  r`readonly r=1; unset r; echo $?; (( 1 / 0 )); echo $?; echo $((08)); echo not reached`,
  r`echo \${x?message}; echo not reached`,
  r`if then fi`,
  r`echo "unterminated`,
  r`ulimit -n; ulimit -s; ulimit -c 0; ulimit -c; times > /dev/null; echo $UID $EUID $((PPID > 0)) $((BASHPID == $$)) $((SECONDS < 9))`,
  r`read -t 0.05 -n 1 x < /dev/zero; echo $?; read -N 3 y <<< abcdef; echo $y; read -d : z <<< a:b; echo $z; read -s -p prompt p <<< q; echo $p`,
  r`LC_ALL=C.UTF-8; s=日本語ü; echo \${#s} \${s:1:2} \${s^^}; printf '%d\n' "'é"; echo $'\u20ac\x41\n'`,
  r`sort_() { local a=("$@") i j t; for ((i = 0; i < \${#a[@]}; i++)); do for ((j = i + 1; j < \${#a[@]}; j++)); do if ((a[j] < a[i])); then t=\${a[i]}; a[i]=\${a[j]}; a[j]=$t; fi; done; done; echo \${a[@]}; }; sort_ 5 3 9 1 7 2 8`,
  r`x=; for ((i = 0; i < 3000; i++)); do x+=abc; done; echo \${#x}; y=\${x//b/--}; echo \${#y}; echo "\${y:100:20}"`,
  r`compgen -W "alpha beta apple" -- a; complete -W "x y" cmd; complete -p; history -c; let "z = 3 * 4" && echo $z; caller; bind -V > /dev/null 2>&1; echo done`,
  r`wait; jobs; echo $?; kill -l 9; kill -l TERM; kill -0 $$; echo $?; kill -0 1073741823; echo $?`,
  r`> created; >> created; [[ -e created && ! -s created ]] && echo created; echo x > /nonexistent/file; echo $?; echo y > dir`,
  r`exec > out.txt 2>&1; echo to file; cd nosuch_; exec 1>&-; echo lost`,
];

const BASH = ["/usr/bin/bash", "--norc"];
const files = {
  "lib.sh": 'LIB="lib $1 ${BASH_SOURCE[0]}"\nreturn 0\necho unseen\n',
  "script.sh": "#!/bin/bash\necho script $1\nexit 9\n",
};

export const bash: readonly ProgramCase[] = [
  ...scripts("bash", [...BASH, "-c"], SCRIPTS, { files }, 4),
  { name: "bash: a script and arguments", argv: [...BASH, "script.sh", "x"], files },
  {
    name: "bash: commands from standard input",
    argv: BASH,
    stdin: "echo one\nread x\ndata line\necho $x\nexit 4\n",
    quick: true,
  },
  { name: "bash: --version", argv: [...BASH, "--version"] },
  { name: "bash: an unknown option", argv: [...BASH, "--nonsense"] },
  { name: "bash: a missing script", argv: [...BASH, "missing.sh"] },
  {
    name: "bash: interactive without a terminal",
    argv: [...BASH, "-i", "--noediting", "+m"],
    stdin: "echo $PS2\nexit 5\n",
  },
];
