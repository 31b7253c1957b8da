/** Lines that leave the issue file: durable elsewhere before they do, whatever happens in between. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { type Disk, DiskFailure, nodeDisk, openToCreate } from "../../src/issue-file/Disk.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import * as Quarantine from "../../src/issue-file/Quarantine.ts"
import { temporaryDirectory } from "./processes.ts"

const good = '{"id":"a-1","title":"One"}\n'
const other = '{"id":"a-2","title":"Two"}\n'
const bad = "not json\n"

/** An issue file with this text, and the move of its lines over a disk that a test may have changed. */
const project = Effect.fnUntraced(function* (text: string, changed: Partial<Disk> = {}) {
  const beads = join(yield* temporaryDirectory, ".beads")
  mkdirSync(beads)
  const path = join(beads, "issues.jsonl")
  const quarantine = join(beads, "quarantine")
  writeFileSync(path, text)
  const disk: Disk = { ...nodeDisk, ...changed }
  const layer = Layer.merge(
    Layer.effect(IssueFile.IssueFile, IssueFile.make({ path, gitTimeout: "20 seconds" }, disk)),
    IssueLock.layer({ path: `${path}.lock`, timeout: "20 seconds" })
  )
  const kept = (suffix: string) =>
    readdirSync(quarantine)
      .filter(name => name.endsWith(suffix))
      .map(name => readFileSync(join(quarantine, name), "utf8"))
  return {
    path,
    beads,
    quarantine,
    kept,
    text: () => readFileSync(path, "utf8"),
    run: Effect.provide(Quarantine.run(quarantine, disk), layer)
  }
})

describe("Quarantine", () => {
  it.scopedLive("G12 G17: copy and lines are on disk, with their names, before the file is replaced", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const named = (path: string) =>
        basename(path).replace(/^\.?(.*?)(\.[0-9a-f]{12})?(\.\w+?)?(\.\d+\.[0-9a-f]+\.tmp)?$/, "$1$3")
      const { kept, path, run, text } = yield* project(good + bad + other, {
        fsync: (file, descriptor) =>
          Effect.tap(nodeDisk.fsync(file, descriptor), () => calls.push(`fsync ${named(file)}`)),
        rename: (from, to) => {
          nodeDisk.rename(from, to)
          calls.push(`rename ${named(to)}`)
        }
      })
      const moved = Option.getOrThrow(yield* run)
      expect(moved.lines).toEqual([{ number: 2, reason: expect.stringContaining("not valid JSON") }])
      expect(calls).toEqual([
        "fsync beads",
        "fsync issues.jsonl.backup",
        "rename issues.jsonl.backup",
        "fsync quarantine",
        "fsync issues.jsonl.lines",
        "rename issues.jsonl.lines",
        "fsync quarantine",
        "fsync issues.jsonl",
        "rename issues.jsonl",
        "fsync beads"
      ])
      expect(text()).toBe(good + other)
      expect(kept(".backup")).toEqual([good + bad + other])
      expect(kept(".lines")).toEqual([bad])
      expect(readFileSync(moved.keptIn, "utf8")).toBe(bad)
      expect(path).toBe(join(moved.backup, "../../issues.jsonl"))
      expect(Option.isNone(yield* run)).toBe(true)
    })
  )

  for (const [what, isIt] of [
    ["the copy", (file: string) => file.includes(".backup")],
    ["the lines", (file: string) => file.includes(".lines")],
    ["the directory", (file: string) => file.endsWith("quarantine")]
  ] as const) {
    it.scopedLive(`G29: if ${what} cannot be made durable, the file stays as it is; the next try does it`, () =>
      Effect.gen(function* () {
        let failed = 0
        let again = 0
        const { kept, quarantine, run, text } = yield* project(good + bad, {
          fsync: (file, descriptor) =>
            isIt(file) && failed++ === 0
              ? Effect.fail(new DiskFailure({ path: file, operation: "fsync", code: "EIO", cause: new Error("EIO") }))
              : Effect.tap(nodeDisk.fsync(file, descriptor), () => (isIt(file) ? again++ : 0))
        })
        expect(yield* Effect.flip(run)).toMatchObject({ _tag: "IssueFileFailure", operation: "fsync", code: "EIO" })
        expect([failed, again]).toEqual([1, 0])
        expect(text()).toBe(good + bad)
        expect(Option.isSome(yield* run)).toBe(true)
        expect(again).toBeGreaterThan(0)
        expect(text()).toBe(good)
        expect([kept(".backup"), kept(".lines")]).toEqual([[good + bad], [bad]])
        expect(readdirSync(quarantine).filter(name => name.endsWith(".tmp"))).toEqual([])
      })
    )
  }

  it.scopedLive("G28: killed while it wrote, a half copy has no name that would be taken for a whole one", () =>
    Effect.gen(function* () {
      let written = 0
      const { kept, quarantine, run, text } = yield* project(good + bad, {
        write: (file, descriptor, bytes, position) =>
          file.includes(".backup") && written++ > 0
            ? Effect.die("killed")
            : nodeDisk.write(file, descriptor, file.includes(".backup") ? bytes.subarray(0, 3) : bytes, position)
      })
      expect((yield* Effect.exit(run))._tag).toBe("Failure")
      expect(written).toBe(2)
      expect(text()).toBe(good + bad)
      expect(kept(".backup")).toEqual([])
      expect(existsSync(quarantine)).toBe(true)
    })
  )

  it.scopedLive("G16: what another program adds meanwhile is neither lost nor left unread", () =>
    Effect.gen(function* () {
      let added = 0
      const { kept, path, run, text } = yield* project(good + bad, {
        open: (file, flags, mode) =>
          Effect.tap(nodeDisk.open(file, flags, mode), () => {
            if (flags === openToCreate && file.includes(".lines") && added++ === 0)
              appendFileSync(path, `${other}worse\n`)
          })
      })
      const moved = Option.getOrThrow(yield* run)
      expect(added).toBe(2)
      expect(text()).toBe(good + other)
      expect(moved.lines.map(({ number }) => number)).toEqual([2, 4])
      expect(kept(".lines")).toContain("not json\nworse\n")
      expect(kept(".backup")).toContain(`${good}${bad}${other}worse\n`)
    })
  )
})
