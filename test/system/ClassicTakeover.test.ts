/**
 * Taking over a classic database, in real processes: killed before each system call that changes anything, beside
 * classic processes, and by many at once.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { describe, expect, it } from "vitest"
import { type ClassicContent, makeClassic } from "../classic.ts"
import {
  bd,
  bdCommand,
  issues,
  lines,
  listed,
  ok,
  type Repository,
  repositoryAt,
  run,
  scratch,
  start,
  stored,
  strace
} from "./bd.ts"

const created_at = "2025-11-23T06:29:13.697141054Z"

const content: ClassicContent = {
  prefix: "old",
  issues: ["old-1", "old-2", "old-3"].map(id => ({ id, created_at, updated_at: "2025-11-24 10:00:00", notes: "row" })),
  comments: [["old-1", "alice", "only in the database", "2025-11-24 11:00:00"]],
  labels: [["old-2", "x"]],
  dirty: ["old-2"],
  childCounters: { "old-1": 3 }
}

/** A classic project: the content in the log only, one issue published earlier, one in the file alone. */
const classic = (): Repository => {
  const repository = repositoryAt(scratch())
  mkdirSync(repository.beads)
  makeClassic(repository.store, content, { state: "all in log" })
  const line = (id: string) =>
    `${JSON.stringify({ id, title: `Title of ${id}`, status: "open", priority: 2, issue_type: "task", created_at, updated_at: "2025-11-24T10:00:00Z" })}\n`
  writeFileSync(repository.issueFile, line("old-1") + line("old-2") + line("old-9"))
  writeFileSync(join(repository.beads, "config.yaml"), "# settings\nother: 1\n")
  return repository
}

const copyOf = (repository: Repository): Repository => {
  const to = scratch()
  cpSync(repository.directory, to, { recursive: true, preserveTimestamps: true })
  return repositoryAt(to)
}

const classicIds = (path: string) => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare("select id from issues order by id").pluck().all()
  } finally {
    database.close()
  }
}

/** All is there: taken over, published, kept. */
const expectTakenOver = async (repository: Repository, expected: ReadonlyArray<string>) => {
  ok(await bd(repository, "flush"))
  expect(lines(repository)).toEqual(expected)
  const { integrity, marks } = stored(repository)
  expect({ integrity, marks }).toEqual({ integrity: "ok", marks: [] })
  expect(classicIds(`${repository.store}.classic`)).toEqual(["old-1", "old-2", "old-3"])
  expect(readdirSync(repository.beads).filter(name => /\.(new|copy|alias|tmp)/.test(name))).toEqual([])
  expect(readFileSync(join(repository.beads, "config.yaml"), "utf8")).toBe(
    '# settings\nother: 1\nissue-prefix: "old"\n'
  )
}

/** Synchronous calls of the main thread: SQLite's, and each step that must not be torn apart. */
const names = ["link", "unlink", "rename", "fsync", "ftruncate", "pwrite64"]

describe("taking over a classic database", () => {
  it("G28: killed before any change it makes, the next command takes over all the same", async () => {
    const first = classic()
    const { log, ...ended } = await strace([`-etrace=${names.join(",")}`], bdCommand("list"), {
      cwd: copyOf(first).directory
    })
    ok(ended)
    const counts = new Map<string, number>()
    const points = log.split("\n").flatMap(call => {
      const name = call.slice(0, call.indexOf("("))
      const ordinal = (counts.get(name) ?? 0) + 1
      counts.set(name, ordinal)
      // of the many writes of pages a few; of the rest all that did something
      return call.includes(" = -1 ") || call === "" || (name === "pwrite64" && ordinal % 16 !== 0)
        ? []
        : [{ name, ordinal, call }]
    })
    expect(counts.get("rename")).toBeGreaterThanOrEqual(3)
    const whole = copyOf(first)
    ok(await bd(whole, "list"))
    ok(await bd(whole, "flush"))
    const expected = lines(whole)
    expect(issues(whole).map(({ id }) => id)).toEqual(["old-1", "old-2", "old-3", "old-9"])

    let before = 0
    let after = 0
    for (const { call, name, ordinal } of points) {
      const repository = copyOf(first)
      const killed = await strace(
        [`-einject=${name}:signal=KILL:when=${ordinal}`, `-etrace=${name}`],
        bdCommand("list"),
        {
          cwd: repository.directory
        }
      )
      expect(killed.signal ?? killed.exitCode, `${name} #${ordinal}: ${call}`).toBe("SIGKILL")
      if (existsSync(`${repository.store}.classic`)) after++
      else before++
      await expectTakenOver(repository, expected)
    }
    // some before the copy was kept, some after
    expect(before).toBeGreaterThan(10)
    expect(after).toBeGreaterThan(3)
  }, 300_000)

  for (const [name, hold] of [
    ["is connected to it, idle", (database: Database.Database) => database.prepare("select * from issues").all()],
    ["is writing to it", (database: Database.Database) => database.exec("begin immediate")]
  ] as const) {
    it(`G26, G29: while a classic process ${name}, changes are refused and reads answer from the issue file`, async () => {
      const repository = classic()
      // by another process: to open them here would, on closing, drop the locks that are tested
      const sums = async () =>
        ok(await run(["sha256sum", repository.store, `${repository.store}-wal`], { cwd: repository.beads })).stdout
      const before = await sums()
      const other = new Database(repository.store)
      hold(other)
      const change = await bd(repository, "create", "new", "--json")
      expect(change.exitCode).toBe(6)
      expect(JSON.parse(change.stdout)).toMatchObject({ error: { code: "store_classic" } })
      expect(change.stderr).toContain("classic process")
      expect((await listed(repository)).map(({ id }) => id).sort()).toEqual(["old-1", "old-2", "old-9"])
      expect(await sums()).toBe(before)
      expect(readdirSync(repository.beads).filter(entry => entry.includes(".db.") || entry.includes(".alias"))).toEqual(
        []
      )
      other.close()
      ok(await bd(repository, "create", "new"))
      expect(issues(repository)).toHaveLength(5)
    })
  }

  it("G13, G19: taken over by many at once, no issue is lost and one copy is kept", async () => {
    const repository = classic()
    const many = Array.from({ length: 8 }, (_, i) =>
      start(bdCommand("create", `new ${i}`), { cwd: repository.directory })
    )
    const ended = await Promise.all(many.map(running => running.ended))
    expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    expect(issues(repository)).toHaveLength(4 + 8)
    expect(stored(repository)).toMatchObject({ integrity: "ok", marks: [] })
    expect(readdirSync(repository.beads).filter(name => name.includes(".classic"))).toEqual(["beads.db.classic"])
    expect(classicIds(`${repository.store}.classic`)).toEqual(["old-1", "old-2", "old-3"])
  }, 60_000)

  for (const [names, expected] of [
    [["beads.jsonl"], "beads.jsonl"],
    [["issues.jsonl"], "issues.jsonl"],
    [[], "beads.jsonl"]
  ] as const) {
    it(`G19: the issue file of a classic project that has ${names.join() || "none yet"} is ${expected}`, async () => {
      const repository = repositoryAt(scratch())
      mkdirSync(repository.beads)
      // as classic's init writes it, whatever file is used later
      writeFileSync(
        join(repository.beads, "metadata.json"),
        '{\n  "database": "bd.db",\n  "jsonl_export": "beads.jsonl"\n}'
      )
      makeClassic(join(repository.beads, "bd.db"), content)
      const line = {
        id: "old-1",
        content_hash: "0a",
        title: "Title of old-1",
        description: "",
        status: "open",
        priority: 2,
        issue_type: "task",
        created_at,
        updated_at: created_at,
        source_repo: "."
      }
      for (const name of names) {
        writeFileSync(
          join(repository.beads, name),
          `${JSON.stringify(line)}\n${JSON.stringify({ ...line, id: "old-9" })}\n`
        )
      }
      ok(await bd(repository, "update", "old-3", "--notes", "mine"))
      const present = readdirSync(repository.beads).filter(name => name.endsWith(".jsonl"))
      expect(present).toEqual([expected])
      const published = issues({ ...repository, issueFile: join(repository.beads, expected) })
      expect(published.map(({ id }) => id)).toEqual(["old-1", "old-2", "old-3", ...(names.length > 0 ? ["old-9"] : [])])
      // local keys are kept in a line that did not change, left out of one that did, and never written
      const text = readFileSync(join(repository.beads, expected), "utf8").split("\n")
      expect(text.filter(each => each.includes("content_hash"))).toEqual(
        names.length > 0 ? [JSON.stringify({ ...line, id: "old-9" })] : []
      )
      expect(existsSync(join(repository.beads, "bd.db.classic"))).toBe(true)
    })
  }

  it("G26, G29: on a read-only file system it stays, and the issue file answers", async () => {
    const repository = classic()
    const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && shift && ! touch x && exec "$@"`
    const readOnly = (...words: ReadonlyArray<string>) =>
      run(["unshare", "-rm", "sh", "-c", script, "sh", repository.beads, ...bdCommand(...words)], {
        cwd: repository.beads
      })
    const read = await readOnly("list", "--json")
    // touch said so: it really is read-only
    expect(read.stderr).toContain("Read-only file system")
    expect(read).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("Answering from the issue file") })
    expect(JSON.parse(read.stdout)).toHaveLength(3)
    expect((await readOnly("create", "new")).exitCode).toBe(8)
    expect(existsSync(`${repository.store}.classic`)).toBe(false)
  })
})
