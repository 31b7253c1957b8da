/** A file of 10,000 issues: what a change costs in reads and writes of it, counted by strace, and in time. */
import { writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { bdCommand, ok, strace } from "./bd.ts"
import { type Clone, fingerprint, issuesIn, linesOf, place, until } from "./git.ts"

const count = 10_000

const line = (number: number): string => {
  const id = `x-${number.toString(36).padStart(4, "0")}`
  const previous = `x-${(number - 1).toString(36).padStart(4, "0")}`
  const at = new Date(Date.UTC(2025, 0, 1) + number * 60_000).toISOString()
  return JSON.stringify({
    id,
    title: `issue ${number}`,
    description: "What it is about, at some length. ".repeat(8),
    status: "open",
    priority: number % 5,
    issue_type: "task",
    created_at: at,
    updated_at: at,
    labels: ["some", `n${number % 50}`],
    ...(number % 4 === 0
      ? { dependencies: [{ issue_id: id, depends_on_id: previous, type: "blocks", created_at: at, created_by: "x" }] }
      : {})
  })
}

/** The calls of a log, each on one line: strace cuts a call in two where another thread comes in between. */
const callsOf = (log: string): ReadonlyArray<string> => {
  const begun = new Map<string, string>()
  return log.split("\n").flatMap(line => {
    const [, pid = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? []
    const cut = /^(.*) <unfinished \.\.\.>$/.exec(call)?.[1]
    if (cut !== undefined) {
      begun.set(pid, cut)
      return []
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)?.[1]
    return [rest === undefined ? call : `${begun.get(pid) ?? ""}${rest}`]
  })
}

/** What a log of `strace -f -yy` tells of the issue file and of its replacement. */
const ioOf = (log: string) => {
  const calls = callsOf(log)
  const bytes = (found: ReadonlyArray<string>) =>
    found.reduce((sum, call) => sum + Number(/= (\d+)$/.exec(call)?.[1] ?? 0), 0)
  const reads = calls.filter(call => /\bp?read(v|64)?\(\d+<[^>]*\/issues\.jsonl(\.aside)?>/.test(call))
  const writes = calls.filter(call => /\bp?write(v|64)?\(\d+<[^>]*issues\.jsonl[^>]*\.tmp>/.test(call))
  return {
    opened: calls.filter(call => /\bopenat\(.*issues\.jsonl"/.test(call) && !/ENOENT/.test(call)).length,
    opensForWriting: calls.filter(call => /\bopenat\(.*issues\.jsonl".*O_(WRONLY|RDWR)/.test(call)).length,
    read: bytes(reads),
    temps: calls.filter(call => /\bopenat\(.*issues\.jsonl[^"]*\.tmp".*O_CREAT/.test(call)).length,
    written: bytes(writes),
    renames: calls.filter(call => /\brename(at2?)?\(.*issues\.jsonl/.test(call)).length
  }
}

const traced = async (clone: Clone, ...words: ReadonlyArray<string>) => {
  const ran = await strace(
    [
      "-f",
      "-yy",
      "-s",
      "256",
      "-e",
      "trace=openat,read,pread64,readv,preadv,write,pwrite64,writev,rename,renameat,renameat2"
    ],
    bdCommand(...words),
    { cwd: clone.directory, env: clone.env }
  )
  ok(ran)
  return ioOf(ran.log)
}

describe(`${count} issues`, () => {
  it("G15: an update reads the file at most once and writes it once; without a change it writes nothing", async () => {
    const clone = await place().repository("large")
    await clone.bd("init", "--prefix", "x")
    writeFileSync(clone.file, Array.from({ length: count }, (_, number) => `${line(number)}\n`).join(""))
    const timed = async (what: string, ...words: ReadonlyArray<string>) => {
      const before = performance.now()
      await clone.bd(...words)
      console.info(`${what}: ${Math.round(performance.now() - before)} ms`)
    }
    await timed("load 10,000 issues", "list", "--limit", "1")
    await timed("update one", "update", "x-0001", "--notes", "first")
    await timed("update one again", "update", "x-0002", "--notes", "second")
    await timed("ready", "ready")
    await timed("show", "show", "x-0003")
    const before = linesOf(clone.file)
    const size = fingerprint(clone.file).bytes.length

    const update = await traced(clone, "update", "x-0100", "--title", "changed")
    const after = fingerprint(clone.file)
    // every byte of the old file once, every byte of the new one once
    expect(update).toMatchObject({ opensForWriting: 0, temps: 1, renames: 1, written: after.bytes.length })
    expect(update.opened).toBe(1)
    expect(update.read).toBe(size)
    expect(linesOf(clone.file).filter((line, i) => line !== before[i])).toHaveLength(1)
    expect(issuesIn(clone.file).get("x-0100")).toMatchObject({ title: "changed" })

    const unchanged = await traced(clone, "update", "x-0100", "--title", "changed")
    expect(unchanged).toMatchObject({ temps: 0, written: 0, renames: 0 })
    const read = await traced(clone, "show", "x-0100")
    expect(read).toEqual({ opened: 0, opensForWriting: 0, read: 0, temps: 0, written: 0, renames: 0 })
    expect(fingerprint(clone.file)).toEqual(after)

    // an edit by another program, made a while ago, still takes one reading
    const edit = (from: string, to: string) => {
      const edited = fingerprint(clone.file).bytes.replace(from, to)
      writeFileSync(clone.file, edited)
      return edited.length
    }
    const edited = edit('"title":"issue 5"', '"title":"issue five"')
    const { ctimeNs } = fingerprint(clone.file)
    await until(() => BigInt(Date.now()) * 1_000_000n > ctimeNs + 2_100_000_000n)
    const merged = await traced(clone, "update", "x-0006", "--title", "changed too")
    expect(merged).toMatchObject({ opened: 1, read: edited, temps: 1, renames: 1 })
    expect(issuesIn(clone.file).get("x-0005")).toMatchObject({ title: "issue five" })
    // one made just now is compared at each step, since its stamp proves nothing yet (G20); written it is once
    edit('"title":"issue 7"', '"title":"issue seven"')
    const compared = await traced(clone, "update", "x-0008", "--title", "changed as well")
    expect(compared).toMatchObject({ temps: 1, renames: 1, written: fingerprint(clone.file).bytes.length })
    expect(compared.opened).toBeLessThanOrEqual(3)
    expect(issuesIn(clone.file).get("x-0007")).toMatchObject({ title: "issue seven" })
  })
})
