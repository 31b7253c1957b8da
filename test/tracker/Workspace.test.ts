import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, Option } from "effect"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"
import * as Workspace from "../../src/tracker/Workspace.ts"
import { realFiles } from "../realFiles.ts"

const project = () => {
  const directory = join(mkdtempSync(join(tmpdir(), "beads-")), ".beads")
  mkdirSync(directory)
  return { directory, file: join(directory, "issues.jsonl") }
}

/** One run of the program over the directory, as a process would: everything opened and closed. */
const run = <A, E>(directory: string, body: (tracker: Tracker["Type"]) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Tracker, body)).pipe(
    Effect.provide(Workspace.layer({ directory, actor: "tester", prefix: "bd" }))
  )

const lines = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n")
const store = (directory: string) =>
  run(directory, tracker => Effect.map(tracker.export(), bytes => Buffer.from(bytes).toString("utf8")))

describe("Workspace", () => {
  it.live("contract: the directory's name is the default prefix of ids, however the path is written", () =>
    Effect.gen(function* () {
      const { directory } = project()
      mkdirSync(join(directory, "../Mein Projekt/x"), { recursive: true })
      mkdirSync(join(directory, "../Mein Projekt/.beads"))
      const created = yield* Effect.scoped(Effect.flatMap(Tracker, tracker => tracker.create({ title: "one" }))).pipe(
        Effect.provide(Workspace.layer({ directory: `${directory}/../Mein Projekt/x/../.beads` }))
      )
      expect(created.id).toMatch(/^Mein-Projekt-[0-9a-z]+$/)
    })
  )

  for (const [name, before] of realFiles) {
    it.live(`G15, G18, G21: ${name} loads, publishes and loads again, and a change is one line`, () =>
      Effect.gen(function* () {
        const { directory, file } = project()
        writeFileSync(file, before)
        const report = yield* run(directory, tracker => tracker.init)
        const read = IssueLines.read(before)
        expect(read.unreadable).toEqual([])
        const deleted = read.lines.filter(({ text }) => JSON.parse(text).status === "tombstone").length
        expect(report.issues).toBe(read.lines.length - deleted)
        yield* run(directory, tracker => tracker.publishing(tracker.flushNow({ full: true })))
        expect(readFileSync(file).equals(before)).toBe(true)

        const target = read.lines.find(({ text }) => JSON.parse(text).status === "open")
        const { failure } = yield* run(directory, tracker =>
          tracker.publishing(tracker.update(target?.id ?? "", { priority: 4, notes: "changed" }))
        )
        expect(Option.isNone(failure)).toBe(true)
        const old = before.toString("utf8").split("\n")
        const changed = readFileSync(file, "utf8")
          .split("\n")
          .filter((line, i) => line !== old[i])
        expect(changed.map(line => JSON.parse(line).id)).toEqual([target?.id])

        // a fresh store made from the file holds what the first one holds
        const first = yield* store(directory)
        const clone = project()
        copyFileSync(file, clone.file)
        expect((yield* store(clone.directory)) === first).toBe(true)
        expect(first === readFileSync(file, "utf8")).toBe(true)
      })
    )
  }

  it.live("G22: an edit of the file between two commands is merged, field by field", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const { result } = yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      // committed, not published: the mark stays
      yield* Effect.scoped(Effect.flatMap(Tracker, tracker => tracker.update(result.id, { notes: "mine" }))).pipe(
        Effect.provide(Workspace.layer({ directory, prefix: "bd", flush: "never" }))
      )
      const theirs = { ...JSON.parse(lines(file)[0] ?? ""), title: "two", unknown: { 1: 1.5 } }
      writeFileSync(file, `${JSON.stringify(theirs)}\n`)
      yield* run(directory, tracker => tracker.publishing(tracker.addLabel(result.id, "both")))
      expect(lines(file).map(line => JSON.parse(line))).toMatchObject([
        { title: "two", notes: "mine", labels: ["both"], unknown: { 1: 1.5 } }
      ])
    })
  )

  it.live("G16, G17: an unreadable line bars publishing, keeps the file and the change", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      const broken = `${readFileSync(file, "utf8")}<<<<<<< HEAD\n`
      writeFileSync(file, broken)
      const { failure } = yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "two" })))
      expect(Option.getOrThrow(failure)).toMatchObject({ reason: "UnreadableLine" })
      expect(readFileSync(file, "utf8")).toBe(broken)
      writeFileSync(file, broken.replace("<<<<<<< HEAD\n", ""))
      yield* run(directory, tracker => tracker.publishing(tracker.flushNow()))
      expect(
        lines(file)
          .map(line => JSON.parse(line).title)
          .sort()
      ).toEqual(["one", "two"])
    })
  )

  it.live("G24: an imported line of the same id that was created apart is another issue", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const other =
        '{"id":"bd-x","title":"theirs","status":"open","created_at":"2026-01-01T00:00:00Z","updated_at":"2027-01-01T00:00:00Z"}'
      const { result } = yield* run(directory, tracker =>
        tracker.publishing(
          Effect.gen(function* () {
            yield* tracker.create({ title: "mine", id: "bd-x" })
            yield* tracker.flushNow()
            // earlier versions of the own line are remembered, and are no ancestors of the other
            yield* tracker.update("bd-x", { notes: "mine too" })
            yield* tracker.flushNow()
            return yield* tracker.import(Buffer.from(`${other}\n`))
          })
        )
      )
      expect(result.renamed).toMatchObject([{ from: "bd-x" }])
      expect(lines(file).map(line => JSON.parse(line))).toMatchObject(
        expect.arrayContaining([
          expect.objectContaining({ id: "bd-x", title: "theirs" }),
          expect.objectContaining({ id: result.renamed[0]?.to, title: "mine", notes: "mine too" })
        ])
      )
    })
  )

  it.live("G19: an empty file and an empty store shrink nothing", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const { result } = yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      const line = readFileSync(file, "utf8")
      writeFileSync(file, "")
      expect((yield* run(directory, tracker => tracker.list({}))).total).toBe(1)
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "two" })))
      expect(lines(file).map(text => JSON.parse(text).id)).toContain(result.id)
      expect(readFileSync(file, "utf8")).toContain(line.trim())
      for (const name of ["beads.db", "beads.db-wal", "beads.db-shm"]) rmSync(join(directory, name), { force: true })
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "three" })))
      expect(lines(file).length).toBe(3)
    })
  )

  it.live("G13: a store that was taken away while it was open takes no change more", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const outcome = yield* run(directory, tracker =>
        Effect.gen(function* () {
          yield* tracker.publishing(tracker.create({ title: "one" }))
          for (const name of ["beads.db", "beads.db-wal", "beads.db-shm"]) {
            rmSync(join(directory, name), { force: true })
          }
          return yield* Effect.flip(tracker.create({ title: "two" }))
        })
      )
      expect(outcome).toMatchObject({ _tag: "StoreError", reason: "replaced" })
      // the next one begins with what the file holds
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "three" })))
      const titles = lines(file).map(line => JSON.parse(line).title)
      expect(titles.sort()).toEqual(["one", "three"])
    })
  )

  it.live("G26: read only, the issue file answers from memory and nothing is written", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      for (const name of ["beads.db", "issues.jsonl.lock"]) rmSync(join(directory, name))
      const aside = join(directory, ".issues.jsonl.aside")
      writeFileSync(aside, readFileSync(file))
      const found = readdirSync(directory)
      const [page, refused] = yield* Effect.scoped(
        Effect.flatMap(Tracker, tracker =>
          Effect.all([tracker.list({}), Effect.flip(tracker.create({ title: "two" }))])
        )
      ).pipe(Effect.provide(Workspace.layerReadOnly({ directory })))
      expect(page.items.map(({ issue }) => issue.title)).toEqual(["one"])
      expect(refused).toMatchObject({ _tag: "LockUnavailable" })
      expect(readdirSync(directory)).toEqual(found)
    })
  )

  it.live("G26: while another holds the lock a read answers from the store, and says that it may be stale", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const told: Array<string> = []
      const listening = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void told.push(String(message)))
      )
      const titles = run(directory, tracker =>
        Effect.map(tracker.list({}), ({ items }) => items.map(({ issue }) => issue.title))
      ).pipe(Effect.provide(listening))
      const { result } = yield* run(directory, tracker =>
        tracker.publishing(
          Effect.gen(function* () {
            yield* tracker.create({ title: "one" })
            yield* tracker.flushNow()
            writeFileSync(file, readFileSync(file, "utf8").replace('"one"', '"pulled"'))
            return yield* titles
          })
        )
      )
      expect(result).toEqual(["one"])
      expect(told.join()).toContain("answering from the store, which may be stale")
      told.length = 0
      expect(yield* titles).toEqual(["pulled"])
      expect(told).toEqual([])
    })
  )

  it.live("G19: a missing file is rebuilt by the next change, not by a read", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      rmSync(file)
      const reader = Workspace.layer({ directory, flush: "never" })
      const { total } = yield* Effect.scoped(Effect.flatMap(Tracker, tracker => tracker.list({}))).pipe(
        Effect.provide(reader)
      )
      expect(total).toBe(1)
      expect(() => readFileSync(file)).toThrow("ENOENT")
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "two" })))
      expect(lines(file).length).toBe(2)
    })
  )

  it.live("G23: a deleted issue stays deleted against a stale line, an undeleted one lives", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const { result } = yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "one" })))
      const alive = readFileSync(file)
      yield* run(directory, tracker => tracker.publishing(tracker.delete([result.id])))
      const dead = readFileSync(file)
      writeFileSync(file, alive)
      expect((yield* run(directory, tracker => tracker.list({}))).total).toBe(0)
      yield* run(directory, tracker => tracker.publishing(tracker.create({ title: "two" })))
      expect(
        lines(file)
          .map(line => JSON.parse(line).status)
          .sort()
      ).toEqual(["open", "tombstone"])
      yield* run(directory, tracker => tracker.publishing(tracker.undelete(result.id)))
      writeFileSync(file, dead)
      expect((yield* run(directory, tracker => tracker.list({}))).items.map(({ issue }) => issue.id)).toContain(
        result.id
      )
    })
  )

  it.live("G8: a full export that failed is made up for by the next process", () =>
    Effect.gen(function* () {
      const { directory, file } = project()
      const create = (title: string) =>
        run(directory, tracker => tracker.publishing(Effect.asVoid(tracker.create({ title }))))
      expect(Option.isNone((yield* create("one")).failure)).toBe(true)
      const sound = readFileSync(file, "utf8")
      writeFileSync(file, `${sound}<<<<<<< HEAD\n`)
      const failure = yield* run(directory, tracker => Effect.flip(tracker.flushNow({ full: true })))
      expect(failure.message).toContain("git conflict marker")
      writeFileSync(file, sound.replace('"one"', '"one, edited"'))
      const createAndFlush = (title: string) =>
        run(directory, tracker => Effect.zipRight(tracker.create({ title }), tracker.flushNow()))
      expect((yield* createAndFlush("two")).mode).toBe("full")
      expect((yield* createAndFlush("three")).mode).toBe("incremental")
    })
  )
})
