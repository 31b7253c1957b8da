import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"
import * as IssueLine from "../../src/issue-file/IssueLine.ts"
import { realFiles } from "../realFiles.ts"
import { recordOf } from "../recordOf.ts"

const reasonOf = (line: string | Uint8Array): string => {
  const result = IssueLine.decode(line)
  return IssueLine.isUnreadable(result) ? result.reason : "readable"
}

describe("real files", () => {
  it.each(realFiles)("G18: every line of %s comes back byte for byte", (_, bytes) => {
    const lines = splitLines(bytes)
    expect(lines.length).toBeGreaterThan(50)
    for (const line of lines) {
      expect(Buffer.from(IssueLine.encode(recordOf(line))).equals(line)).toBe(true)
    }
  })

  it.each(realFiles)("G18: in %s, one changed field changes its value in the line and nothing else", (_, bytes) => {
    for (const line of splitLines(bytes)) {
      const record = recordOf(line)
      const changed = IssueRecord.set(record, "title", '"another title"')
      expect(IssueLine.encode(changed)).toBe(
        JsonText.encodeObject(
          record.members
            .filter(({ key }) => !IssueRecord.localKeys.has(key))
            .map(({ key, value }) => ({ key, value: key === "title" ? '"another title"' : value }))
        )
      )
      // and the way back gives the line that the classic tool wrote, but for the keys that are dropped
      const back = IssueLine.encode(IssueRecord.set(changed, "title", IssueRecord.get(record, "title")))
      const local = /"(?:content_hash|source_repo)":"[^"]*",?/g
      const without = (text: string) => text.replace(local, "").replace(/,\}$/, "}")
      expect(back).toBe(
        record.members.some(({ key }) => IssueRecord.localKeys.has(key)) ? without(record.source ?? "") : record.source
      )
    }
  })

  it.each(realFiles)("G18: the strings of %s are written as the classic tool wrote them", (_, bytes) => {
    for (const line of splitLines(bytes)) {
      for (const { value } of recordOf(line).members) {
        const string = JsonText.decodeString(value)
        if (string !== undefined) expect(JsonText.encodeString(string)).toBe(value)
      }
    }
  })
})

describe("what can be read", () => {
  it("G18: any line comes back as it was, whatever JSON it holds", () => {
    const values = FastCheck.json({ depthSize: "medium" })
    const keys = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 5 }),
      FastCheck.constantFrom("__proto__", "7", "content_hash", "constructor", "toString")
    ).filter(key => key !== "id")
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.tuple(keys, values), { maxLength: 5 }),
        FastCheck.nat(5),
        (entries, at) => {
          const members = entries.map(([key, value]) => `${JSON.stringify(key)} : ${value}`)
          const line = ` {${members.toSpliced(at, 0, '"id":"a-1"').join(", ")}}\t`
          const record = recordOf(Buffer.from(line))
          expect(record.id).toBe("a-1")
          expect(IssueLine.encode(record)).toBe(line)
          expect(IssueLine.encode(recordOf(IssueLine.encode(record)))).toBe(line)
        }
      ),
      { numRuns: 500 }
    )
  })

  it.each([
    ['{"id":"a","x":9007199254740993,"y":1.0,"z":1e2}'],
    ['{"7":1,"id":"a","3":1,"__proto__":{"id":"b"}}'],
    ['{"\\u0069d":"\\u0061","comments":[{"id":1},{"id":2}],"text":"\\"id\\":"}'],
    ['{"id":"a","id2":"b","title":"\\ud800 <b>&"}'],
    ['{"id":"=======","title":"<<<<<<< HEAD"}'],
    ['{"id":"\ufeffé😀\\u0001"}'],
    [`{"id":"a","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    [`{"id":"a","long":"${"x".repeat(10_000_000)}"}`]
  ])("G18: %.60s is read, and written as it was", line => {
    expect(IssueLine.encode(recordOf(Buffer.from(line)))).toBe(line)
  })

  it("G18: an id is the decoded text", () => {
    expect(recordOf('{"\\u0069d":"\\u0061b"}').id).toBe("ab")
    expect(IssueLine.decodeId('{"x":{"id":"b"},"id":"a"}')).toBe("a")
  })

  it("G18: text given with line feeds becomes one line of the same value", () => {
    const text = '{\n  "id": "a",\n  "x": [\n1\n]\n}'
    const line = IssueLine.encode(recordOf(text))
    expect(line).not.toContain("\n")
    expect(JsonText.canonical(line)).toBe(JsonText.canonical(text))
  })
})

describe("what cannot be read", () => {
  it.each([
    ["<<<<<<< HEAD", "git conflict marker"],
    ["<<<<<<<", "git conflict marker"],
    ["||||||| 1234567", "git conflict marker"],
    ["=======", "git conflict marker"],
    [">>>>>>> branch", "git conflict marker"],
    ['\ufeff{"id":"a"}', "byte-order mark"],
    ['{"id":"a"', "not valid JSON"],
    ['{"id":"a"}}', "not valid JSON"],
    ['{"id":"a"} {"id":"b"}', "not valid JSON"],
    ['{"id":"a",}', "not valid JSON"],
    ['{"id":"a\u0000"}', "not valid JSON"],
    ["{id:1}", "not valid JSON"],
    ["// comment", "not valid JSON"],
    ["", "not valid JSON"],
    ["[]", "not a JSON object"],
    ["null", "not a JSON object"],
    ['"id"', "not a JSON object"],
    ["5", "not a JSON object"],
    ["{}", 'no "id"'],
    ['{"ID":"a"}', 'no "id"'],
    ['{"__proto__":{"id":"a"}}', 'no "id"'],
    ['{"x":{"id":"a"}}', 'no "id"'],
    ['{"id":5}', "not a string"],
    ['{"id":null}', "not a string"],
    ['{"id":["a"]}', "not a string"],
    ['{"id":""}', "is empty"],
    ['{"id":"a\\u0000b"}', "NUL"],
    ['{"id":"\\ud800"}', "surrogate"],
    ['{"id":"\\udc00\\ud800"}', "surrogate"],
    ['{"id":"a","id":"b"}', '"id" twice'],
    ['{"id":"a","id":"a"}', '"id" twice'],
    ['{"id":"a","x":{"id":1},"\\u0069\\u0064":"b"}', '"id" twice'],
    ['{"id":5,"id":"b"}', '"id" twice']
  ])("G17: %s is unreadable: %s", (line, reason) => {
    expect(reasonOf(Buffer.from(line))).toContain(reason)
    expect(reasonOf(line)).toContain(reason)
  })

  it.each([
    ["a cut-off character", [0xc3]],
    ["Latin-1", [0xe9]],
    ["an overlong form", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a code point too high", [0xf4, 0x90, 0x80, 0x80]],
    ["UTF-16", [0xff, 0xfe]]
  ])("G17: %s is not UTF-8, and not guessed at", (_, bytes) => {
    const line = Buffer.concat([Buffer.from('{"id":"a","title":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(reasonOf(line)).toContain("not UTF-8")
  })

  it("G17: the error names file, line and what to do", () => {
    const error = new IssueLine.UnreadableLine({
      path: ".beads/issues.jsonl",
      line: 7,
      reason: reasonOf("<<<<<<< HEAD")
    })
    expect(error._tag).toBe("UnreadableLine")
    expect(error.message).toMatch(/^\.beads\/issues\.jsonl, line 7: /)
    expect(error.message).toContain("resolve the merge first")
  })

  it("G32: no reason contains a command, G33: nor anything of the line", () => {
    for (const line of [
      "<<<<<<< \u001b[31mx",
      '{"id":"a\u001b"}',
      "rm\u001b",
      '{"x":"git checkout --theirs"',
      "\ufeff\u001b"
    ]) {
      const reason = reasonOf(line)
      expect(reason).not.toBe("readable")
      expect(reason).not.toMatch(/\u001b|\bgit (?!conflict)|\brm\b|--|checkout|reset/)
    }
  })

  it("G33: any bytes are either read and written back alike, or told as unreadable", () => {
    const noise = FastCheck.oneof(
      FastCheck.uint8Array({ maxLength: 30 }),
      FastCheck.string({
        unit: FastCheck.constantFrom('{"id":"', '"', "a", "}", ":", ",", "\\", "{", "\ud800", "é", " ")
      }).map(text => Buffer.from(text))
    )
    FastCheck.assert(
      FastCheck.property(noise, bytes => {
        const result = IssueLine.decode(bytes)
        if (IssueLine.isUnreadable(result)) expect(result.reason.length).toBeGreaterThan(0)
        // a raw line feed is no part of a line; everything else comes back
        else if (!bytes.includes(10)) expect(Buffer.from(IssueLine.encode(result)).equals(bytes)).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })
})

function splitLines(bytes: Buffer): ReadonlyArray<Buffer> {
  const lines: Array<Buffer> = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start)
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}
