import { describe, expect, it } from "vitest"
import { randomOf } from "./budget.ts"
import { after, type Change, contentOf, type Held, leftBy, pending } from "./disk.ts"

const held: Held = { names: new Map([["a", 1]]), files: new Map([[1, Buffer.from("old")]]) }
const make: Change = { _tag: "Names", to: [["b", 2]] }
const write: Change = { _tag: "Write", file: 2, at: 0, bytes: Buffer.alloc(1500, "x") }
const sync: Change = { _tag: "Sync", file: 2 }
const rename: Change = {
  _tag: "Names",
  to: [
    ["b", undefined],
    ["a", 2]
  ]
}
const syncNames: Change = { _tag: "SyncNames" }

const found = (changes: ReadonlyArray<Change>, more = 200): ReadonlySet<string> =>
  new Set(
    leftBy(held, changes, randomOf(1), more).map(({ held: left }) => {
      const text = contentOf(left, "a")?.toString() ?? "gone"
      return text === "old" || text === "gone" ? text : `${text.length} ${/^x*$/.test(text) ? "whole" : "torn"}`
    })
  )

describe("disks after lost power, as the torture test has them", () => {
  it("G12: a file that was synced, then renamed, is the old or the new one", () => {
    expect(found([make, write, sync, rename])).toEqual(new Set(["old", "1500 whole"]))
    expect(found([make, write, sync, rename, syncNames])).toEqual(new Set(["1500 whole"]))
  })

  it("G12: a file that was renamed before it was synced may be empty, cut off, torn or of zeros", () => {
    const seen = found([make, write, rename])
    expect([...seen]).toEqual(expect.arrayContaining(["old", "0 whole", "512 whole", "1500 torn", "1500 whole"]))
    expect(found([make, write, rename, sync])).toEqual(new Set(["old", "1500 whole"]))
  })

  it("only what a later sync covers lasts", () => {
    expect(pending([make, write, sync, rename])).toEqual([0, 3])
    expect(pending([make, write, sync, write, syncNames, rename])).toEqual([3, 5])
    expect(pending([make, sync, write])).toEqual([0, 2])
  })

  it("what a file gave back does not show again when it grows", () => {
    const grown = after(held, [
      { _tag: "Resize", file: 1, size: 1 },
      { _tag: "Resize", file: 1, size: 3 }
    ])
    expect(contentOf(grown, "a")).toEqual(Buffer.from("o\0\0"))
    expect(held.files.get(1)).toEqual(Buffer.from("old"))
  })
})
