/** What `bd` does when its store cannot be used. The read-only file system is in test/system. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { bd, directory } from "./harness.ts"

/** A project of two issues whose store is damaged by `damage`. */
const damaged = (damage: (store: Buffer) => Buffer) =>
  Effect.gen(function* () {
    const at = yield* directory
    yield* bd(at, ["init", "--prefix", "app"])
    yield* bd(at, ["create", "One"])
    yield* bd(at, ["create", "Two"])
    const before = yield* bd(at, ["list", "--json"])
    const store = path.join(at, ".beads/beads.db")
    writeFileSync(store, damage(readFileSync(store)))
    return { at, before, store }
  })

const pageSize = 4096

const damages: ReadonlyArray<[name: string, damage: (store: Buffer) => Buffer]> = [
  ["whose header is gone", store => Buffer.concat([Buffer.alloc(100, "x"), store.subarray(100)])],
  [
    "whose pages are gone",
    store => Buffer.concat([store.subarray(0, pageSize), Buffer.alloc(store.length - pageSize, 7)])
  ],
  ["that is cut off", store => store.subarray(0, pageSize + 100)]
]

describe("a store that does not work", () => {
  for (const [name, damage] of damages) {
    it.scopedLive(`G26, G29: reads answer from the issue file beside a store ${name}, changes are refused`, () =>
      Effect.gen(function* () {
        const { at, before, store } = yield* damaged(damage)
        const broken = readFileSync(store)
        const names = readdirSync(path.join(at, ".beads"))
        const file = path.join(at, ".beads/issues.jsonl")
        const good = readFileSync(file)

        const read = yield* bd(at, ["list", "--json"])
        expect(read).toMatchObject({ exitCode: 0, stdout: before.stdout })
        expect(read.stderr).toMatch(/^Warning: the store .* cannot be used \(corrupt\).*Answering from the issue file/)

        const change = yield* bd(at, ["create", "Three", "--json"])
        expect(change.exitCode).toBe(8)
        expect(JSON.parse(change.stdout)).toMatchObject({
          error: { code: "store_corrupt", hint: expect.stringContaining(`move ${store} aside`) }
        })
        // never rebuilt by itself, and nothing else was written
        expect(readFileSync(store).equals(broken)).toBe(true)
        expect(readFileSync(file).equals(good)).toBe(true)
        expect(readdirSync(path.join(at, ".beads")).filter(entry => !/-(wal|shm)$/.test(entry))).toEqual(
          names.filter(entry => !/-(wal|shm)$/.test(entry))
        )
      })
    )
  }

  it.scopedLive(
    "G17, G26: with the issue file unreadable too, a read says which line it is, and gives no half answer",
    () =>
      Effect.gen(function* () {
        const { at } = yield* damaged(() => Buffer.alloc(pageSize, "x"))
        const file = path.join(at, ".beads/issues.jsonl")
        writeFileSync(file, `${readFileSync(file, "utf8")}<<<<<<< HEAD\n`)
        const read = yield* bd(at, ["list", "--json"])
        expect(read.exitCode).toBe(8)
        expect(JSON.parse(read.stdout)).toMatchObject({ error: { code: "unreadable_line" } })
        expect(read.stderr).toContain("line 3")
        expect(statSync(file).size).toBeGreaterThan(0)
      })
  )
})
