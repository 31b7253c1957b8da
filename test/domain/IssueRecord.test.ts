/** Records keep their line; a change shows in what changed and nowhere else. */
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import { read } from "./read.ts"

const line =
  '{"id":"a-1","future":{"b":1.0,"a":[ 1e2 ]},"title":"T","description":"","priority":0,"updated_at":"2025-01-01T00:00:00.123456789+02:00","__proto__":{"x":9007199254740993},"7":7}'

describe("set", () => {
  it("G18: one field changes and nothing else: order, unknown keys, empty values and number texts stay", () => {
    const changed = IssueRecord.set(read(line), "title", '"U"')
    expect(IssueRecord.line(changed)).toBe(line.replace('"T"', '"U"'))
    expect(IssueRecord.line(IssueRecord.set(read(line), "future", "{}"))).toBe(
      line.replace('{"b":1.0,"a":[ 1e2 ]}', "{}")
    )
    expect(IssueRecord.line(IssueRecord.set(read(line), "__proto__", "1"))).toBe(
      line.replace('{"x":9007199254740993}', "1")
    )
  })

  it("G18: a key that is removed takes only itself away", () => {
    expect(IssueRecord.line(IssueRecord.set(read(line), "priority", undefined))).toBe(line.replace('"priority":0,', ""))
  })

  it("G15: setting what is there, or removing what is not, is no change", () => {
    const record = read(` ${line} `)
    expect(IssueRecord.set(record, "title", '"T"')).toBe(record)
    expect(IssueRecord.set(record, "notes", undefined)).toBe(record)
    expect(IssueRecord.line(record)).toBe(` ${line} `)
  })

  it.each([
    ["notes", '"title":"T","description":"","notes":1,"priority"'],
    ["status", '"description":"","status":1,"priority"'],
    ["closed_at", '+02:00","closed_at":1,"__proto__"'],
    ["unknown", '"7":7,"unknown":1}']
  ])("G18: a new key %s goes to its place in the contract's order", (key, expected) => {
    expect(IssueRecord.line(IssueRecord.set(read(line), key, "1"))).toContain(expected)
  })

  it("G18: a line built key by key, in any order, has the contract's order", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.shuffledSubarray([...IssueRecord.keyOrder].filter(key => key !== "id")), keys => {
        const record = keys.reduce((self, key) => IssueRecord.set(self, key, "1"), read('{"id":"a"}'))
        expect(record.members.map(({ key }) => key)).toEqual(
          IssueRecord.keyOrder.filter(key => key === "id" || keys.includes(key))
        )
      })
    )
  })

  it("G18: local keys stay on a line that does not change, leave one that does, and cannot be set", () => {
    const source = '{"id":"a","content_hash":"h","title":"T","source_repo":"."}'
    const record = read(source)
    expect(IssueRecord.line(record)).toBe(source)
    expect(IssueRecord.line(IssueRecord.set(record, "title", '"U"'))).toBe('{"id":"a","title":"U"}')
    expect(IssueRecord.line(IssueRecord.set(read('{"id":"a"}'), "content_hash", '"x"'))).toBe('{"id":"a"}')
    expect(IssueRecord.line(IssueRecord.make("a", record.members))).toBe('{"id":"a","title":"T"}')
  })

  it("G18: of a key that stands twice the last counts, and a change leaves one", () => {
    const record = read('{"id":"a","title":"1","priority":1,"title":"2"}')
    expect(IssueRecord.text(record, "title")).toBe("2")
    expect(IssueRecord.line(IssueRecord.set(record, "title", '"3"'))).toBe('{"id":"a","priority":1,"title":"3"}')
    expect(IssueRecord.line(IssueRecord.set(record, "title", undefined))).toBe('{"id":"a","priority":1}')
  })

  it("G19: a renamed record is known by its new id", () => {
    const record = IssueRecord.set(read(line), "id", '"b-1"')
    expect(record.id).toBe("b-1")
    expect(IssueRecord.line(record)).toBe(line.replace("a-1", "b-1"))
  })

  it("G18: a changed record is one line of text that UTF-8 can hold, whatever its values hold", () => {
    const record = IssueRecord.set(read('{"id":"a"}'), "x", '{\n  "s": "\ud800 😀"\n}')
    expect(IssueRecord.line(record)).toBe('{"id":"a","x":{   "s": "\\ud800 😀" }}')
  })
})

describe("typed access", () => {
  it("G27: a value of another kind than expected is absent, never an error", () => {
    const record = read('{"id":"a","title":5,"priority":"high","labels":"x","notes":null}')
    expect(IssueRecord.text(record, "title")).toBeUndefined()
    expect(IssueRecord.text(record, "notes")).toBeUndefined()
    expect(IssueRecord.number(record, "priority")).toBeUndefined()
    expect(IssueRecord.elements(record, "labels")).toEqual([])
    expect(IssueRecord.elements(record, "comments")).toEqual([])
    expect(IssueRecord.elements(read('{"id":"a","labels":["x" , 1.0]}'), "labels")).toEqual(['"x"', "1.0"])
  })
})
