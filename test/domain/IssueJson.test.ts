import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Issue from "../../src/domain/Issue.ts"
import * as IssueJson from "../../src/domain/IssueJson.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"
import * as IssueLine from "../../src/issue-file/IssueLine.ts"
import { realFiles } from "../realFiles.ts"
import { read } from "./read.ts"

/** What must come out: the members of the view's object in a list, as `JSON.stringify` has them. */
const byTheView = (line: string): string => {
  const issue = Issue.fromRecord(IssueLine.decodeAccepted(read(line).id, line))
  return JSON.stringify([Issue.toJson(issue)], undefined, 2).slice("[\n  {\n".length, -"\n  }\n]".length)
}

const { array, boolean, constant, constantFrom, oneof, option, record, string, tuple } = FastCheck

/** Texts as they are usually written: by Go, and by `JSON.stringify`. */
const texts = tuple(
  oneof(
    constantFrom(
      "",
      "a",
      '","',
      "[1,2]",
      "]",
      '{"a":1}',
      "<&>",
      "\u2028\u200e\u007f",
      "\n\r\t\b\f",
      "\\",
      '\\"',
      "\\u003c",
      "😀 版"
    ),
    string({ maxLength: 6 })
  ),
  constantFrom(JSON.stringify, JsonText.encodeString)
).map(([value, write]) => JsonText.oneLine(write(value)))

const odd = oneof(
  constantFrom("null", "true", "{}", "[]", "[[1]]", '[{"a":{}}]', '{"__proto__":[]}', "7", '["a",1,null,{}]', '"\\/"'),
  constantFrom("-0", "-1", "1.0", "1e2", "0.10", "1e400", "999999999999999", "9007199254740993"),
  string({ unit: "binary", maxLength: 6 }).map(value => JsonText.oneLine(JSON.stringify(value))),
  constantFrom("\\u0061", "\\u003C", "\\ud800").map(value => `"${value}"`)
)

const arrayOf = (keys: ReadonlyArray<string>) =>
  array(
    tuple(
      array(texts, { minLength: 5, maxLength: 5 }),
      option(tuple(constantFrom(...keys, "metadata", "__proto__", "7"), odd))
    ).map(([values, extra]) => {
      const members = keys.map((key, i) => `"${key}":${values[i]}`)
      return `{${[...members, ...(extra === null ? [] : [`"${extra[0]}":${extra[1]}`])].join(",")}}`
    }),
    { maxLength: 2 }
  ).map(elements => `[${elements.join(",")}]`)

const usual: Readonly<Record<string, FastCheck.Arbitrary<string>>> = {
  id: constantFrom('"a-1"', '"a-版"', '"a-\\n"'),
  priority: constantFrom("0", "4"),
  estimated_minutes: constantFrom("0", "90"),
  labels: array(texts, { maxLength: 3 }).map(elements => `[${elements.join(",")}]`),
  dependencies: arrayOf(["issue_id", "depends_on_id", "type", "created_at", "created_by"]),
  comments: arrayOf(["id", "issue_id", "author", "text", "created_at"])
}

const required: ReadonlyArray<string> = ["id", "status", "priority", "issue_type"]
const written = IssueRecord.keyOrder.flatMap(key =>
  key === "id" ? [key, "content_hash"] : key === "external_ref" ? [key, "source_repo"] : [key]
)

/** Lines as they are usually written, some with one thing that is not usual. */
const lines = record({
  members: tuple(
    ...written.map(key =>
      tuple(
        constant(key),
        usual[key] ?? texts,
        key === "id"
          ? constant(true)
          : required.includes(key)
            ? constantFrom(...Array(19).fill(true), false)
            : boolean()
      )
    )
  ),
  change: option(tuple(constantFrom(...written.filter(key => key !== "id")), odd)),
  extra: option(tuple(constantFrom("owner", "__proto__", "0", "labels", "dependency_count"), odd), { freq: 1 }),
  form: constantFrom("usual", "usual", "usual", "spaced", "reversed", "short")
}).map(({ change, extra, form, members }) => {
  const standing = members
    .filter(([, , stands]) => stands)
    .filter(([key]) => form !== "short" || key === "id")
    .map(([key, value]) => [key, change !== null && change[0] === key ? change[1] : value] as const)
  const all = [...standing, ...(extra === null ? [] : [extra])].map(([key, value]) => `"${key}":${value}`)
  return `{${(form === "reversed" ? all.reverse() : all).join(form === "spaced" ? ", " : ",")}}`
})

describe("IssueJson", () => {
  it("G18, G33: what it says of a line is what the view says", () => {
    let told = 0
    FastCheck.assert(
      FastCheck.property(lines, line => {
        const members = IssueJson.members(line)
        if (members === undefined) return
        told++
        expect(members).toBe(byTheView(line))
      }),
      { numRuns: 6000 }
    )
    expect(told).toBeGreaterThan(200)
  })

  it("contract: of real lines it tells nearly all, and what the view says", () => {
    for (const [, bytes] of realFiles) {
      const real = bytes.toString().split("\n").filter(Boolean)
      const told = real.flatMap(line => {
        const members = IssueJson.members(line)
        return members === undefined ? [] : [{ line, members }]
      })
      expect(told.length / real.length).toBeGreaterThan(0.95)
      for (const { line, members } of told) expect(members).toBe(byTheView(line))
    }
  })

  const plain = '{"id":"a-1","title":"T","status":"open","priority":1,"issue_type":"task"}'

  it("contract: tells of the usual line, Go's escapes and local keys with it", () => {
    const line =
      '{"id":"a-1","content_hash":"0","title":"a \\u003c b \\\\u003c \\u0026","status":"open","priority":1,"issue_type":"task",' +
      '"external_ref":"","source_repo":".","labels":["x"]}'
    expect(IssueJson.members(line)).toBe(byTheView(line))
    expect(byTheView(line)).toContain('"title": "a < b \\\\u003c &"')
  })

  const left: Readonly<Record<string, string>> = {
    "a key that it does not know": plain.replace("}", ',"owner":"x"}'),
    "a key that stands twice": plain.replace("}", ',"title":"U"}'),
    "keys in another order": '{"title":"T","id":"a-1","status":"open","priority":1,"issue_type":"task"}',
    "white space": plain.replaceAll(",", ", "),
    "a number in another form": plain.replace("1,", "1.0,"),
    "a number that is rounded": plain.replace('"priority":1', '"priority":9007199254740993'),
    "a value of another kind": plain.replace('"T"', "null"),
    "half a surrogate pair": plain.replace("T", "\\ud800"),
    "an escape that need not be": plain.replace("T", "\\/"),
    "no status": plain.replace('"status":"open",', ""),
    "no priority": plain.replace('"priority":1,', ""),
    "values too deep": plain.replace("}", ',"labels":[[]]}'),
    "more text than it looks at": plain.replace("T", "T".repeat(70_000))
  }
  for (const [what, line] of Object.entries(left)) {
    it(`contract: leaves to the view ${what}`, () => {
      expect(line).not.toBe(plain)
      expect(IssueJson.members(line)).toBeUndefined()
    })
  }

  it("G33: looks at the longest line in time that goes with its length", () => {
    const start = performance.now()
    for (const part of ['\\"', "\\u003c", "[", "{", "},{", '","', "1,"]) {
      const many = part.repeat(Math.floor(65_000 / part.length))
      IssueJson.members(plain.replace("T", many))
      IssueJson.members(plain.replace("}", `,"labels":[${many}}`))
      IssueJson.members(plain.replace("}", `,"labels":["${many}"],"x":1}`))
    }
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
