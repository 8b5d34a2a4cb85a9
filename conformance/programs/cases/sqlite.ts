import { type ProgramCase, scripts } from "../case.ts";
import { journals } from "../normalise.ts";

const SCRIPTS: readonly string[] = [
  "create table t(a integer primary key, b text, c real); insert into t(b, c) values('x', 1.5), ('y', 2.25), (null, -1); select * from t order by b desc; select count(*), sum(c), avg(c), max(b) from t;",
  "with recursive n(x) as (values(1) union all select x + 1 from n where x < 20000) select count(*), sum(x * x), group_concat(x, '') = '' from n where x % 7 = 0;",
  "create table t(a, b); with recursive n(x) as (values(1) union all select x + 1 from n where x < 3000) insert into t select x, hex(x * 7919 % 1009) from n; create index i on t(b); explain query plan select * from t where b = '3137'; select count(*), min(a) from t where b = '3137';",
  "begin; create table t(a unique); insert into t values(1); savepoint s; insert into t values(2); rollback to s; insert into t values(3); commit; select * from t; begin; delete from t; rollback; select count(*) from t; insert into t values(1);",
  "pragma journal_mode = wal; create table w(a); insert into w values(1), (2); select * from w; pragma wal_checkpoint; pragma integrity_check;",
  "pragma journal_mode = persist; create table w(a); insert into w values(randomblob(5000) is not null); pragma page_size; pragma page_count; pragma journal_mode = delete;",
  "pragma journal_mode = truncate; create table w(a, b generated always as (a * 2)); insert into w(a) values(4); select * from w; vacuum; pragma freelist_count;",
  "select sqlite_version(), typeof(1), typeof(1.0), typeof('a'), typeof(x'00'), 1/2, 1/2.0, 7 % 3, 'a' || 'b', 1e308 * 10, 9223372036854775807 + 1, abs(-5), round(2.567, 2), printf('%05.2f|%x|%s', 3.14159, 255, 'z');",
  "select substr('hello', 2, 3), upper('abc'), instr('hello', 'l'), replace('aaa', 'a', 'bb'), trim('  x '), hex('abc'), quote('it''s'), length('日本'), unicode('€'), char(65, 8364), like('a%', 'abc'), glob('a*', 'abc'), coalesce(null, 2);",
  "select date('2024-02-29', '+1 year'), datetime(0, 'unixepoch'), julianday('2000-01-01'), strftime('%W %j %w', '2024-12-31'), time('12:00', '-90 minutes');",
  `select json_extract('{"a":[1,2,{"b":3}]}', '$.a[2].b'), json_array(1, 'x', null), json_group_array(value) from json_each('[3,1,2]');`,
  "create table a(x); create table b(y); insert into a values(1), (2), (3); insert into b values(2), (3), (4); select * from a join b on x = y; select x from a except select y from b; select x, y from a left join b on x = y; select x, row_number() over (order by x desc), sum(x) over (order by x) from a;",
  "create virtual table f using fts5(t); insert into f values('the quick brown fox'), ('lazy dogs'), ('quick dogs'); select rowid, highlight(f, 0, '[', ']') from f where f match 'quick' order by rank; select count(*) from f('dogs');",
  "create trigger tr after insert on nothing begin select 1; end;",
  "create table t(a check(a > 0)); insert into t values(-1);",
  "select * from missing;",
  "selec;",
  "create view v as select 1 as one, 2 as two; select * from v; create table t(a); create trigger tr after insert on t begin insert into t select new.a + 1 where new.a < 5; end; pragma recursive_triggers = 1; insert into t values(1); select * from t; select name, type from sqlite_master order by name;",
];

const SQLITE = ["/usr/bin/sqlite3", "-batch"];

const meta = `.mode box
create table t(id integer, name text); insert into t values(1, 'ann'), (2, 'bob');
select * from t;
.mode csv
.headers on
select * from t;
.mode json
select * from t;
.schema
.tables
.import --csv --skip 1 csv.txt u
select * from u;
.dump
.output out.txt
select 'to a file';
.output stdout
.read missing.sql
.show
.quit 3
`;

export const sqlite: readonly ProgramCase[] = [
  ...scripts("sqlite in memory", [...SQLITE, ":memory:"], SCRIPTS, {}, 1),
  ...scripts("sqlite on a file", [...SQLITE, "data.db"], SCRIPTS.slice(0, 7), {}, 1),
  { name: "sqlite: dot commands from standard input", argv: [...SQLITE, "data.db"], stdin: meta },
  {
    name: "sqlite: .read and -json",
    argv: [...SQLITE, "-json", "data.db", ".read make.sql"],
    files: { "make.sql": "create table t(a, b);\ninsert into t values(1, 'two');\nselect * from t;\n" },
  },
  { name: "sqlite: a file that is no database", argv: [...SQLITE, "noise.bin", "select 1 from sqlite_master"] },
  { name: "sqlite: a read-only database", argv: [...SQLITE, "-readonly", "new.db", "create table t(a)"] },
  { name: "sqlite: a directory as database", argv: [...SQLITE, "dir", "create table t(a)"] },
  {
    name: "sqlite: -bail stops at the first error",
    argv: [...SQLITE, "-bail", ":memory:"],
    stdin: "select 1;\nselect nope;\nselect 2;\n",
  },
  {
    name: "sqlite: an end inside a transaction leaves a journal",
    normalise: [journals],
    argv: [...SQLITE, "data.db"],
    stdin:
      "pragma cache_size = 5;\ncreate table t(a);\nbegin;\nwith recursive n(x) as (values(1) union all select x + 1 from n where x < 2000) insert into t select hex(zeroblob(50)) from n;\n.exit 1\n",
  },
  {
    name: "sqlite: .backup, .archive and .sha3sum",
    argv: [...SQLITE, "data.db"],
    stdin: "create table t(a); insert into t values(1);\n.sha3sum\n.backup copy.db\n.open copy.db\nselect * from t;\n",
  },
];
