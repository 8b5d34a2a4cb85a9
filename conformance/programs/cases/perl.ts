import { type ProgramCase, raw as r, scripts } from "../case.ts";

const SCRIPTS: readonly string[] = [
  r`my %h; $h{$_}++ for split //, "mississippi"; print "$_=$h{$_} " for sort { $h{$b} <=> $h{$a} || $a cmp $b } keys %h; print "\n";`,
  r`print join(",", map { sprintf "%03d|%-5s|%+.3e|%x|%b|%s", $_, $_, $_ / 7, $_, $_, chr(64 + $_) } 1 .. 12), "\n";`,
  r`my $t = "The year 1999, the month 12."; while ($t =~ /(?<w>[a-z]+)\s+(\d+)/gi) { print "$+{w}:$2 at ", pos($t), "\n" } (my $u = $t) =~ s/(\d+)/$1 * 2/ge; print "$u\n";`,
  r`print unpack("H*", pack("NnCa5A5Z5w q< Q> f d", 0xdeadbeef, 258, 7, "ab", "cd", "efghij", 300, -2, 5, 1.5, -2.25)), "\n"; print join(" ", unpack("N n C a5", pack("N n C a5", 1, 2, 3, "xyz"))), "\n";`,
  r`my @s = (1); my $n = 2; while (@s < 600) { push @s, $n if !grep { $n % $_ == 0 } grep { $_ > 1 && $_ * $_ <= $n } @s; $n++ } print "$s[-1] ", scalar(@s), "\n";`,
  r`open my $f, ">", "new.txt" or die; print $f "line $_\n" for 1 .. 50; close $f; open $f, "<", "new.txt"; my @l = <$f>; print scalar(@l), $l[-1]; seek $f, 10, 0; print tell($f), ":", scalar <$f>; print -s "new.txt", "\n"; rename "new.txt", "moved"; print -e "new.txt" ? "yes" : "no", "\n";`,
  r`opendir my $d, "." or die; print join(" ", sort grep { !/^\./ } readdir $d), "\n"; my @st = stat "words.txt"; print "$st[2] $st[7] $st[9]\n"; print -l "link" ? readlink "link" : "", "\n"; mkdir "made", 0700; rmdir "made"; unlink "csv.txt"; print join(",", glob("*.txt")), "\n";`,
  r`my $x = eval { die { code => 42 } }; print "caught $@->{code}\n"; eval { my $y = 1 / 0; }; print $@; warn "warning\n"; die "the end\n";`,
  r`package A; sub new { bless { v => $_[1] }, $_[0] } sub v { $_[0]{v} } sub DESTROY { print "gone $_[0]{v}\n" } package B; our @ISA = "A"; sub v { 2 * $_[0]->SUPER::v } package main; { my $o = B->new(21); print $o->v, " ", ref $o, " ", $o->isa("A"), "\n"; } print "after\n";`,
  r`$SIG{USR1} = sub { print "signal $_[0]\n" }; kill USR1 => $$; $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@;`,
  r`$SIG{__WARN__} = sub { print "W: $_[0]" }; local $SIG{INT} = "IGNORE"; kill INT => $$; my $u; use warnings; my $z = $u + 1; print "$z\n"; kill TERM => $$; sleep 1; print "not reached\n";`,
  r`my @a = sort { $a <=> $b } map { ($_ * 7919) % 1009 } 1 .. 500; print "@a[0 .. 9] $a[-1]\n"; my @r = reverse @a; print "@r[0 .. 3]\n"; print join(",", splice(@a, 3, 4)), " ", scalar(@a), "\n";`,
  r`printf "%.15g %.15g %.15g %.15g %.15g %s %s %s\n", sin(1), cos(2), exp(3), log(4), sqrt(5), 9**9**9, -9**9**9, 2**64; print int(-3.7), " ", -7 % 3, " ", 7.5 % 2, " ", 1e15 + 0.3, " ", 0.1 + 0.2, " ", 1e21, "\n"; print 18446744073709551615 + 0, " ", ~0, " ", 1 << 63, "\n";`,
  r`use utf8; binmode STDOUT, ":utf8"; my $s = "Ünïcödé 日本"; print length($s), " ", uc $s, " ", scalar reverse($s), " ", join(",", map { sprintf "%x", ord } split //, substr($s, -2)), "\n"; print "ok\n" if $s =~ /\w+\s\p{Han}{2}$/;`,
  r`local $/; my $t = <STDIN>; print length $t, "\n"; my %c; $c{lc $_}++ for $t =~ /\b(\w+)\b/g; print join(" ", map { "$_:$c{$_}" } sort keys %c), "\n";`,
  r`print "@ARGV|$0|$^O|$]|", ($$ > 0), "|", $ENV{TZ}, "\n"; print join(" ", (gmtime(1e9))[0 .. 7]), " ", scalar(gmtime 0), "\n"; exit 17;`,
  r`my $s = ""; $s .= chr(($_ * 31) & 255) for 0 .. 9999; my $c = 0; $c = ($c * 33 + ord) & 0xffffffff for split //, $s; printf "%u %d\n", $c, unpack("%32C*", $s); print crypt("password", "ab"), "\n"; vec(my $v, 3, 4) = 15; print unpack("b*", $v), "\n";`,
  r`my $re = qr/^(\((?:[^()]++|(?1))*\))$/; print "$_ ", /$re/ ? "balanced" : "not", "\n" for "(a(b)c)", "((x)", "()"; (my $x = "aaa") =~ tr/a-y/b-z/; print $x, " ", ($x =~ tr/b//), "\n"; print join("|", split /(,)|-/, "a,b-c,d"), "\n"; print "a1b22" =~ s/\d+/<$&>/gr, "\n";`,
  r`sysopen(my $f, "raw", 0102 | 0100, 0644) or die $!; syswrite $f, "hello world"; sysseek $f, 6, 0; sysread $f, my $b, 5; print "$b\n"; truncate $f, 4; close $f; print -s "raw", "\n"; open my $g, "<", "/nonexistent" or print "$! ", $! + 0, "\n"; utime 1e9, 1e9, "raw"; chmod 0600, "raw"; print -M "raw" > 1000 ? "old\n" : "new\n";`,
  r`pipe(my $r, my $w); syswrite $w, "through a pipe\n"; close $w; print scalar <$r>; my $v = ""; vec($v, fileno(STDIN), 1) = 1; print select($v, undef, undef, 0), "\n"; open my $mem, "<", \"in\nmemory\n"; print scalar(() = <$mem>), "\n"; print fileno($r) > 2, "\n";`,
  r`exec "/nonexistent/x" or print "exec: $!\n"; print "still here\n"; my @big = (1) x 200000; print scalar(@big), "\n"; my $str = "x" x 5_000_000; print length($str), "\n"; format STDOUT =
@<<<< @>>>> @||||
"a", "b", "c"
.
write;`,
  r`syntax error here (`,
  r`use strict; $undeclared = 1;`,
  r`require Nothing::Here;`,
  r`$SIG{SEGV} = "DEFAULT"; kill SEGV => $$; sleep 1;`,
  r`use POSIX (); print 1;`,
];

const PERL = ["/usr/bin/perl"];

export const perl: readonly ProgramCase[] = [
  ...scripts(
    "perl",
    [...PERL, "-e"],
    SCRIPTS,
    { stdin: "Some words and some more words.\n", env: { PERL_HASH_SEED: "0" } },
    3,
  ),
  { name: "perl: -ne with files", argv: [...PERL, "-ne", 'print "$.:$ARGV:$_" if /an/', "words.txt", "table.txt"] },
  { name: "perl: -i edits in place", argv: [...PERL, "-i.orig", "-pe", "s/apple/APPLE/g", "words.txt"] },
  { name: "perl: -lane sums a column", argv: [...PERL, "-lane", "$s += $F[2]; END { print $s }", "table.txt"] },
  {
    name: "perl: a script file with arguments",
    argv: [...PERL, "-w", "s.pl", "a", "b"],
    files: { "s.pl": '#!/usr/bin/perl\nprint "$0 @ARGV\\n";\nprint while <DATA>;\n__END__\nthe data\n' },
  },
  { name: "perl: -v", argv: [...PERL, "-v"] },
  { name: "perl: -c", argv: [...PERL, "-c", "-e", "print 1"] },
];
