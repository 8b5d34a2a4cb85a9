import { type ProgramCase, raw as r, scripts } from "../case.ts";
import { addresses, durations, processors, release, workers } from "../normalise.ts";

const SCRIPTS: readonly string[] = [
  r`import sys; print(sys.version_info[:2], sys.byteorder, sys.maxsize, sys.platform, sys.argv); print(sum(i * i for i in range(20000)))`,
  r`import json
d = {"a": [1, 2.5, None, True], "b": {"c": "é\u20ac\n"}, "big": 10**30, "f": 1e-7}
s = json.dumps(d, sort_keys=True, indent=2); print(s); print(json.loads(s) == d); print(json.dumps(d, ensure_ascii=False))
try: json.loads('{"a": }')
except ValueError as e: print(e)`,
  r`import hashlib, hmac, zlib, binascii
data = bytes(range(256)) * 50
for n in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "shake_128"):
    h = hashlib.new(n, data); print(n, h.hexdigest(16) if n.startswith("shake") else h.hexdigest())
print(hmac.new(b"key", data, "sha256").hexdigest(), zlib.crc32(data), zlib.adler32(data), binascii.crc_hqx(data, 0))
print(hashlib.pbkdf2_hmac("sha256", b"pw", b"salt", 500).hex())`,
  r`import re
t = "The rain in Spain 2024-02-29, and 1999-12-31; foo@bar.org <a@b.c>"
print(re.findall(r"\b(\w+)ain\b", t), re.findall(r"(\d{4})-(\d\d)-(\d\d)", t), re.sub(r"(\w+)@([\w.]+)", r"\2 at \1", t), re.split(r"[;,]\s*", t))
m = re.match(r"(?P<first>\w+)\s+(?P<second>\w+)", t); print(m.groupdict(), m.span(2)); print(re.search(r"(?<=Sp)ain(?!x)", t)); print(re.compile(r"(a+)+$", re.I | re.M))`,
  r`import struct
print(struct.pack("@iHbq?d5sP", -5, 65535, -1, 2**62, True, 1.5, b"hello", 1).hex(), struct.unpack(">fd", struct.pack(">fd", 0.1, 0.1)), struct.calcsize("@bid"), struct.pack("e", 65504.0))
try: struct.pack("b", 200)
except struct.error as e: print(e)`,
  r`import math, cmath
for f in ("sin", "cos", "tan", "exp", "log", "sqrt", "gamma", "lgamma", "erf", "atanh", "cbrt", "expm1"):
    print(f, *(repr(getattr(math, f)(x)) for x in (0.1, 0.5, 0.75)))
print(math.fsum([0.1] * 10), math.factorial(30), math.gcd(2**40, 6**20), math.isqrt(10**40), math.comb(50, 25), math.nextafter(1, 2), math.ulp(1e300), math.remainder(7, 2.5), math.fma(0.1, 10, -1))
print(cmath.sqrt(-2), cmath.exp(1j * math.pi), (1 + 2j) ** (0.5 - 1j), float("inf") - float("inf"), 5e-324 / 2, 1.7976931348623157e308 * 2)`,
  r`from decimal import *; from fractions import Fraction
getcontext().prec = 60; print(Decimal(2).sqrt(), Decimal(1) / 7, Decimal("1e-5") + Decimal("3.14").exp(), Decimal("123.456").quantize(Decimal("0.01"), ROUND_HALF_EVEN))
print(Fraction(355, 113) + Fraction("0.125"), Fraction(0.1)); print(f"{Decimal('1234567.891'):,.2f}", divmod(Decimal(-7), 2))
try: Decimal(1) / 0
except DivisionByZero as e: print(repr(e))`,
  r`import zlib, gzip, bz2, lzma, io
d = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(3000))
for n, c in (("zlib", zlib.compress), ("gzip", lambda x: gzip.compress(x, mtime=0)), ("bz2", bz2.compress), ("lzma", lzma.compress)):
    z = c(d); print(n, len(z), zlib.crc32(z))
print(zlib.decompress(zlib.compress(d)) == d, bz2.decompress(bz2.compress(d)) == d, lzma.decompress(lzma.compress(d)) == d, gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(d))).read(11))`,
  r`import sqlite3
c = sqlite3.connect("x.db"); c.execute("create table t(a integer, b text)"); c.executemany("insert into t values(?, ?)", [(i, chr(65 + i % 26) * 3) for i in range(500)]); c.commit()
print(c.execute("select b, count(*), sum(a) from t group by b order by 2 desc, 1 limit 3").fetchall())
with c: c.execute("delete from t where a > 10")
print(c.execute("select count(*) from t").fetchone(), c.total_changes); c.create_function("rev", 1, lambda s: s[::-1]); print(c.execute("select rev('abc')").fetchone()); c.close()
try: sqlite3.connect(":memory:").execute("select x")
except sqlite3.Error as e: print(e)`,
  r`import os, stat, shutil, glob, tempfile
print(sorted(os.listdir()), os.path.exists("words.txt"), os.getcwd() == os.path.realpath(".")); st = os.stat("words.txt"); print(stat.filemode(st.st_mode), st.st_size, st.st_mtime_ns, os.readlink("link"))
os.makedirs("p/q/r"); open("p/q/f", "w").write("text\n"); os.rename("p/q/f", "p/g"); shutil.copytree("p", "copy"); shutil.copy2("words.txt", "p/w"); print(sorted((d, sorted(n), sorted(f)) for d, n, f in os.walk("p"))); shutil.rmtree("copy")
fd = os.open("raw", os.O_RDWR | os.O_CREAT, 0o640); os.write(fd, b"0123456789"); os.lseek(fd, 3, os.SEEK_SET); print(os.read(fd, 4), os.pread(fd, 3, 7), os.fstat(fd).st_size); os.ftruncate(fd, 5); os.close(fd)
for f in (lambda: os.stat("none"), lambda: os.rmdir("p"), lambda: open("dir"), lambda: os.mkdir("dir")):
    try: f()
    except OSError as e: print(type(e).__name__, e)
with tempfile.NamedTemporaryFile(dir=".") as t: t.write(b"x"); t.flush(); print(os.path.getsize(t.name))
print(sorted(glob.glob("d*/**", recursive=True)), len(os.urandom(8)), os.access("words.txt", os.X_OK), os.umask(0o22))`,
  r`import signal, os, time
def h(n, f): print("got", signal.Signals(n).name)
signal.signal(signal.SIGUSR1, h); os.kill(os.getpid(), signal.SIGUSR1); signal.signal(signal.SIGALRM, h); signal.setitimer(signal.ITIMER_REAL, 0.05); t = time.monotonic(); signal.pause(); print(0.03 < time.monotonic() - t < 3)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); signal.signal(signal.SIGUSR2, h); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigpending()); signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2]); print("end"); signal.raise_signal(signal.SIGINT)`,
  r`import os, select, fcntl, mmap
r, w = os.pipe(); print(select.select([r], [w], [], 0)[:2] == ([], [w])); os.write(w, b"abc"); p = select.poll(); p.register(r, select.POLLIN); print(p.poll(100) == [(r, select.POLLIN)], os.read(r, 10)); os.set_blocking(r, False)
try: os.read(r, 1)
except BlockingIOError as e: print(e.errno)
os.close(r)
try: os.write(w, b"x")
except BrokenPipeError as e: print(e)
print(fcntl.fcntl(w, fcntl.F_GETFD), fcntl.fcntl(w, fcntl.F_GETFL) & os.O_ACCMODE); f = open("map", "w+b"); f.write(b"x" * 10000); f.flush(); m = mmap.mmap(f.fileno(), 0); m[5000:5005] = b"HELLO"; m.flush(); print(m.find(b"HELLO"), len(m)); m.close(); f.seek(4999); print(f.read(7)); m = mmap.mmap(-1, 8192); m[0:3] = b"abc"; print(m[0:4])`,
  r`import collections, itertools, functools, heapq, bisect, random, string, textwrap, datetime, copy, enum, dataclasses
print(collections.Counter("mississippi").most_common(2), list(itertools.islice(itertools.permutations("abc"), 3)), functools.reduce(lambda a, b: a * b, range(1, 20)))
random.seed(42); print(random.random(), random.randint(1, 100), random.sample(range(100), 5), random.gauss(0, 1)); h = [random.randrange(1000) for _ in range(50)]; heapq.heapify(h); print([heapq.heappop(h) for _ in range(5)])
@dataclasses.dataclass(order=True)
class P:
    x: int
    y: int = 0
print(sorted([P(2), P(1, 5), P(1, 2)]), P(1) == P(1)); print(datetime.datetime(2024, 2, 29, 12).isoformat(), datetime.date(2000, 1, 1) + datetime.timedelta(days=9999), datetime.datetime.fromtimestamp(10**9, datetime.UTC)); print(textwrap.fill("word " * 20, 30)); print(string.Template("$a-$b").substitute(a=1, b=2))
class C(enum.Flag): A = 1; B = 2
print(C.A | C.B, C(3))`,
  r`def f(n): return f(n - 1) + 1 if n else 0
print(f(900))
try: f(10**6)
except RecursionError as e: print(e)
print(1 / 0)`,
  r`import sys
class A:
    def __init__(self): self.x = [i for i in range(5)]
    def __repr__(self): return f"A({self.x!r})"
    def __enter__(self): return self
    def __exit__(self, *e): print("exit", e[0]); return True
with A() as a: raise ValueError("inside")
def gen():
    try:
        while True: print((yield 1))
    finally: print("closed")
g = gen(); next(g); g.send("sent"); g.close()
match {"k": [1, 2, 3]}:
    case {"k": [first, *rest]}: print(first, rest)
print(f"{a!r:>20}|{3.14159:.2f}|{255:#x}|{'x':^5}|{10**12:,}"); print({**{"a": 1}, "b": 2}, [*range(3)], (lambda *a, **k: (a, k))(1, z=2), sys.getrefcount(a) > 0); print("stderr", file=sys.stderr); sys.exit("message and status 1")`,
  r`import asyncio
async def w(n, d): await asyncio.sleep(d); return n
async def main():
    print(await asyncio.gather(w(1, 0.02), w(2, 0.01)))
    q = asyncio.Queue(); await q.put(5); print(await q.get())
    try: await asyncio.wait_for(asyncio.sleep(10), 0.02)
    except TimeoutError: print("timeout")
asyncio.run(main())`,
  r`import ctypes, platform, resource, time, locale, getpass, pwd, errno
libc = ctypes.CDLL(None); print(libc.abs(-5), ctypes.sizeof(ctypes.c_long), libc.strlen(b"hello")); CB = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)); a = (ctypes.c_int * 5)(5, 2, 9, 1, 7); libc.qsort(a, 5, 4, CB(lambda x, y: x[0] - y[0])); print(list(a))
print(platform.machine(), platform.libc_ver(), resource.getpagesize(), resource.getrlimit(resource.RLIMIT_CORE)[0] >= -1, time.strftime("%Y", time.gmtime(0)), time.get_clock_info("monotonic").monotonic, locale.getlocale(), pwd.getpwuid(0).pw_name, errno.errorcode[11])`,
  r`import pickle, csv, io, base64, uuid, configparser, xml.etree.ElementTree as E, html, urllib.parse, unicodedata, array, codecs
print(base64.b85encode(pickle.dumps({"a": (1, [2.5, "x"])}, 4))); w = io.StringIO(); csv.writer(w).writerows([["a", 'q"uote'], [1, "c,d"]]); print(w.getvalue()); print(list(csv.DictReader(open("csv.txt"))))
print(uuid.uuid5(uuid.NAMESPACE_DNS, "x.org")); x = E.fromstring("<a><b c='1'>t</b><b/></a>"); print(x.find("b").text, len(x), E.tostring(x)); print(html.escape("<&>"), urllib.parse.quote("a b/ü"), unicodedata.name("é"), unicodedata.normalize("NFD", "é").encode(), array.array("d", [1, 2]).tobytes().hex(), "ß".upper(), codecs.encode("hello", "rot13"), "日本".encode("euc-jp"))`,
  r`a = [[(i * j) % 17 / 3 for j in range(24)] for i in range(24)]; b = [[sum(x * y for x, y in zip(r, c)) for c in zip(*a)] for r in a]; print(sum(map(sum, b))); p = [True] * 20000
for i in range(2, 142):
    if p[i]:
        for j in range(i * i, 20000, i): p[j] = False
print(sum(p) - 2); print(pow(3, 1000, 10**40 + 7), 3**500 % 1000007, hex(2**200 // 3), int("9" * 100) * int("8" * 80)); s = "".join(chr(97 + i * 7 % 26) for i in range(3000)); print(hash((1, 2.5)), s.count("abc"), s[::-7][:20])`,
  r`import os; os.abort()`,
  r`import faulthandler, ctypes; ctypes.string_at(0)`,
  r`import os; os._exit(77)`,
  r`import os; os.execv("/nonexistent", ["x"])`,
  r`this is not python`,
  r`import nothing_like_this`,
  r`print(input("prompt: ")); print(open(0).read().upper())`,
  r`import sys, gc; l = [bytearray(1 << 20) for _ in range(64)]; print(len(l), sum(len(x) for x in l)); del l; print(gc.collect() >= 0); x = bytearray(200_000_000); print(len(x)); x[::4096] = b"a" * len(x[::4096]); print(x.count(b"a"))
try: bytearray(1 << 40)
except MemoryError as e: print("MemoryError", e)`,
];

const PYTHON = ["/usr/bin/python3.13"];
const env = { PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" };

/** Tests of CPython's own suite that start other programs. */
const NEED_FORK: Readonly<Record<string, readonly string[]>> = {
  test_struct: ["test_struct_cleans_up_at_runtime_shutdown"],
  test_json: ["test.test_json.test_tool.*"],
  test_math: [],
  test_grammar: [],
};

export const python: readonly ProgramCase[] = [
  ...scripts(
    "python",
    [...PYTHON, "-c"],
    SCRIPTS,
    { env, normalise: [addresses], stdin: "first line\nother lines\nend\n" },
    2,
  ),
  ...Object.entries(NEED_FORK).map(([name, ignored]) => ({
    name: `python: -m test -v ${name}`,
    argv: [...PYTHON, "-m", "test", "-v", "--randseed", "1", ...ignored.flatMap((pattern) => ["-i", pattern]), name],
    env,
    normalise: [addresses, durations, workers, release, processors],
    timeout: 1_200_000,
  })),
  {
    name: "python: -m unittest of the math docstrings",
    argv: [...PYTHON, "-m", "unittest", "test.test_math.IsCloseTests"],
    env,
    normalise: [durations],
  },
  {
    name: "python: a script from standard input",
    argv: [...PYTHON, "-", "arg"],
    stdin: "import sys\nprint(sys.argv, __name__)\nsys.exit(6)\n",
    env,
  },
  { name: "python: a missing script", argv: [...PYTHON, "missing.py"], env },
  {
    name: "python: a script that imports from its directory",
    argv: [...PYTHON, "dir/main.py"],
    files: { "dir/main.py": "import helper\nprint(helper.x, __file__)\n", "dir/helper.py": "x = 5\n" },
    env,
  },
  {
    name: "python: writes byte code",
    argv: [
      ...PYTHON,
      "-c",
      "import os, sys; sys.path.insert(0, 'dir'); import mod; print(os.listdir('dir/__pycache__'))",
    ],
    files: { "dir/mod.py": "x = 5\n" },
    env: { PYTHONHASHSEED: "0" },
  },
  { name: "python: -m json.tool", argv: [...PYTHON, "-m", "json.tool"], stdin: '{"b": [1, 2], "a": null}', env },
  {
    name: "python: -m zipfile and -m tarfile",
    argv: [...PYTHON, "-m", "zipfile", "-c", "x.zip", "words.txt", "dir"],
    env,
  },
  {
    name: "python: -m dis",
    argv: [...PYTHON, "-m", "dis"],
    stdin: "def f(x):\n    return [i * x for i in range(3)]\n",
    env,
    normalise: [addresses],
  },
  {
    name: "python: -X importtime is quiet about nothing",
    argv: [...PYTHON, "-S", "-E", "-s", "-I", "-c", "import sys; print(sys.flags)"],
    env,
  },
  {
    name: "python: interactive on a pipe",
    argv: [...PYTHON, "-i", "-q"],
    stdin: "1+1\nprint('x')\nundefined\nexit(3)\n",
    env,
  },
  { name: "python: --version", argv: [...PYTHON, "--version"] },
];
