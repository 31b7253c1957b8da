/** `flush status`, and what a command does and does not do after its one attempt to publish. */
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

vi.setConfig({ testTimeout: 30_000 })

const conflict = "<<<<<<< ours\n"

describe("a publish that failed", () => {
  it.scopedLive("G11: is not made good behind the back of exit 7, though the fault has passed before the end", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, run, runWith } = yield* project
      yield* create("One")
      const before = lines()
      appendFileSync(file, conflict)
      let repaired = 0
      const onError = (text: string) => {
        if (!text.startsWith("Error: not published")) return
        repaired++
        writeFileSync(file, before)
      }
      expect(yield* runWith({ onError }, "create", "Two")).toMatchObject({ exitCode: 7 })
      expect(repaired).toBe(1)
      expect(lines()).toBe(before)
      expect(yield* json("flush", "status")).toMatchObject({ state: "failing", unpublished_count: 1 })
      expect(yield* run("flush")).toMatchObject({ exitCode: 0 })
      expect(lines()).toContain('"Two"')
    })
  )
})

describe("flush status", () => {
  it.scopedLive("G9: nothing yet, then the last flush, then what waits", () =>
    Effect.gen(function* () {
      const { at, create, file, json, lines, run } = yield* project
      expect(yield* json("flush", "status")).toEqual({
        state: "clean",
        unpublished_count: 0,
        full_export_needed: false,
        last_flush: null,
        last_failure: null,
        issue_file: { path: file, size: 0, content: "missing" },
        database_path: path.join(at, ".beads/beads.db")
      })
      yield* create("One")
      const flushed = { mode: "incremental", written: 1, removed: 0, bytes: Buffer.byteLength(lines()) }
      expect(yield* json("flush", "status")).toMatchObject({
        state: "clean",
        unpublished_count: 0,
        last_flush: { ...flushed, at: expect.stringMatching(/^\d{4}-.*Z$/) },
        issue_file: { size: flushed.bytes, content: "as_seen" }
      })
      yield* create("Two", "--no-auto-flush")
      yield* create("Three", "--no-auto-flush")
      expect(yield* json("flush", "status")).toMatchObject({
        state: "dirty",
        unpublished_count: 2,
        last_flush: flushed
      })
      expect((yield* run("flush", "status")).stdout).toContain("Not yet in the issue file: 2 issues")
      yield* run("rename-prefix", "web", "--no-auto-flush")
      expect(yield* json("flush", "status")).toMatchObject({ full_export_needed: true })
      yield* run("flush")
      expect(yield* json("flush", "status")).toMatchObject({
        state: "clean",
        full_export_needed: false,
        last_flush: { mode: "full" }
      })
    })
  )

  it.scopedLive("G9: the last failure with its reason, until a flush succeeds", () =>
    Effect.gen(function* () {
      const { create, file, json, lines, run } = yield* project
      yield* create("One")
      const before = lines()
      appendFileSync(file, conflict)
      expect((yield* run("create", "Two")).exitCode).toBe(7)
      expect(yield* json("flush", "status")).toMatchObject({
        state: "failing",
        unpublished_count: 1,
        last_flush: { written: 1 },
        last_failure: { reason: "UnreadableLine", message: expect.stringContaining("line 2") },
        issue_file: { content: "unreadable", problem: expect.stringMatching(/^line 2: /) }
      })
      expect((yield* run("flush", "status")).stdout).toContain("nothing is published before it is mended")
      writeFileSync(file, before)
      expect((yield* run("flush")).exitCode).toBe(0)
      expect(yield* json("flush", "status")).toMatchObject({ state: "clean", last_failure: null })
    })
  )

  it.scopedLive("G15: looks only: it publishes nothing, takes nothing over, touches neither file nor database", () =>
    Effect.gen(function* () {
      const { at, create, file, json, lines, run } = yield* project
      yield* create("One")
      yield* create("Two", "--no-auto-flush")
      const foreign = lines()
        .replace('"One"', '"Eins"')
        .replace(/"updated_at":"\d{4}/, '"updated_at":"2099')
      writeFileSync(file, foreign)
      const database = path.join(at, ".beads/beads.db")
      const stamps = () => [file, database].map(name => statSync(name, { bigint: true }).mtimeNs)
      const before = [stamps(), readFileSync(database)]
      for (const content of ["changed", "changed"]) {
        expect(yield* json("flush", "status")).toMatchObject({ unpublished_count: 1, issue_file: { content } })
      }
      expect([stamps(), readFileSync(database)]).toEqual(before)
      expect(lines()).toBe(foreign)
      expect((yield* json("list", "--no-auto-import")).map((issue: { title: string }) => issue.title)).toContain("One")
      rmSync(file)
      expect(yield* json("flush", "status")).toMatchObject({ issue_file: { size: 0, content: "missing" } })
      expect((yield* run("flush", "status")).stdout).toContain("missing")
    })
  )

  it.scopedLive("G26: says that the store cannot be used, instead of answering from the issue file", () =>
    Effect.gen(function* () {
      const { at, create, json } = yield* project
      yield* create("One")
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path.join(at, `.beads/beads.db${suffix}`), { force: true })
      writeFileSync(path.join(at, ".beads/beads.db"), "SQLite format 3\0damaged".padEnd(4096, "x"))
      expect(yield* json("flush", "status")).toMatchObject({ error: { code: expect.stringMatching(/^store_/) } })
    })
  )
})
