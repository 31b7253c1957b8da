/**
 * Issue files that nobody would write, made of real ones: lines with members and values that are legal JSON and no
 * issue's, then bytes that are no JSON. And what is to be said of a file, told by other means than the product's own.
 */
import * as JsonText from "../../src/domain/JsonText.ts"
import { realFiles } from "../realFiles.ts"
import type { Random } from "./budget.ts"

/** Real lines, the shorter ones: thousands of files are made of them. */
const corpus: ReadonlyArray<string> = realFiles
  .flatMap(([, bytes]) => bytes.toString().split("\n"))
  .filter(line => line !== "" && line.length < 4000)

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`

/** Legal JSON that some program does not expect. */
const values: ReadonlyArray<string> = [
  ...["null", "true", "0", "-0", "1.0", "1e2", "9007199254740993", "1e400", "-1E-400", "0.1e99999999999"],
  ...['""', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ufeff"', '"\\u001b[31m"', '"\\u2028"', '"\u202e"'],
  ...['"__proto__"', '"constructor"', '"-rf"', '"--json"', '"%s%n"', '"$(id)"', '"\'; drop table issues; --"'],
  ...['"../../etc/passwd"', '"a.1.2.3"', '"a b"', '"É"', '"😀"', '"tombstone"', '"closed"', '"open"', '"OPEN"'],
  ...['"9999-99-99T99:99:99Z"', '"0000-01-01T00:00:00Z"', '"2026-01-01T00:00:00+99:99"', '"2999-01-01T00:00:00Z"'],
  ...["{}", "[]", "[null]", "[[]]", '["a","a"]', '[{"id":1}]', '{"__proto__":{"id":"x"}}', '{"a":1,"a":2}', nested(50)],
  ...['["\\u0000","__proto__",""]', '[{"depends_on_id":"a","type":"blocks"},{"depends_on_id":7}]', nested(5000)],
  ...['[{"id":1,"text":"x"},{"id":1,"text":"y"},{"id":"1","text":null}]', '"<<<<<<< HEAD"', `"${"x".repeat(50_000)}"`]
]

const keys: ReadonlyArray<string> = [
  ...["title", "description", "status", "priority", "issue_type", "created_at", "updated_at", "closed_at"],
  ...["labels", "dependencies", "comments", "deleted_at", "undeleted_at", "renamed_to", "original_type", "assignee"],
  ...["estimated_minutes", "external_ref", "notes", "design", "close_reason", "content_hash", "source_repo"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "", "0", "7", "ID", "\u0000", "é", "length"],
  ...["id"]
]

interface Member {
  readonly key: string
  readonly value: string
}

const written = (members: ReadonlyArray<Member>, gap: string): string =>
  `{${members.map(({ key, value }) => `${JSON.stringify(key)}:${gap}${value}`).join(`,${gap}`)}}`

/** A line with one member put in, changed, doubled, moved or taken out. */
const restructured = (line: string, random: Random): string => {
  const members = [...JsonText.members(line)]
  // without its id a line is none, so that is left alone mostly
  const drawn = random.below(members.length)
  const at = members[drawn]?.key === "id" && random.below(8) > 0 ? (drawn + 1) % members.length : drawn
  const one = members[at] ?? { key: "id", value: '"x"' }
  const changes: ReadonlyArray<() => unknown> = [
    () => members.splice(at, 1, { ...one, value: random.pick(values) }),
    () => members.splice(at, 1, { ...one, value: random.pick(values) }),
    () => members.splice(at, 0, { key: random.pick(keys), value: random.pick(values) }),
    () => members.splice(at, 0, { key: random.pick(keys), value: random.pick(values) }),
    () => members.push(one),
    () => members.splice(at, 1),
    () => members.unshift(...members.splice(at, 1)),
    () => members.splice(at, 1, { ...one, key: random.pick(keys) })
  ]
  random.pick(changes)()
  return written(members, random.below(8) === 0 ? random.pick([" ", "\t", "\r"]) : "")
}

const stray: ReadonlyArray<Buffer> = [
  ...["\0", "\r", "\n", "\r\n", "\n\n", '"', "\\", "{", "}", "[", "]", ",", ":", " ", "\t", "\ufeff", "\u2028", "é"],
  ...["\n<<<<<<< HEAD\n", "\n=======\n", "\n>>>>>>> side\n", "\n||||||| base\n", "null", "\n{}\n", '\n"text"\n', "\\u"]
]
  .map(text => Buffer.from(text))
  .concat([0xff, 0xfe, 0x80, 0xc0, 0xed, 0xf4].map(byte => Buffer.of(byte)))

/** A file with some of its bytes changed, put in, doubled or gone. */
const damaged = (bytes: Buffer, random: Random): Buffer => {
  const from = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, from + random.below(random.pick([3, 40, 2000])))
  const part = (a: number, b: number) => bytes.subarray(a, b)
  const rest = part(from, bytes.length)
  const changes: ReadonlyArray<() => Buffer> = [
    () => Buffer.concat([part(0, from), Buffer.of((bytes[from] ?? 0) ^ (1 << random.below(8))), rest.subarray(1)]),
    () => Buffer.concat([part(0, from), random.pick(stray), rest]),
    () => Buffer.concat([part(0, from), part(from, to), rest]),
    () => Buffer.concat([part(0, from), part(to, bytes.length)]),
    () => part(0, from),
    () => Buffer.concat([random.pick(stray), bytes]),
    () => Buffer.concat([bytes, random.pick(stray)])
  ]
  return random.pick(changes)()
}

/** A line of the corpus, as it is or with members of another kind. */
export const hostileLine = (random: Random): string => {
  let line = random.pick(corpus)
  for (let n = random.below(5); n > 0; n--) line = restructured(line, random)
  return line
}

/** Most can be read, some cannot: about one file in three has damaged bytes. */
export const hostileFile = (random: Random): Buffer => {
  const lines = Array.from({ length: 1 + random.below(8) }, () => hostileLine(random))
  // lines of one id: the same again, or another issue's content under it
  if (random.below(4) === 0) lines.push(restructured(random.pick(lines), random))
  if (random.below(3) > 0) lines.sort()
  const end = random.below(6) === 0 ? "\r\n" : "\n"
  let bytes: Buffer = Buffer.from(lines.join(end) + (random.below(6) === 0 ? "" : end))
  if (random.below(3) === 0) for (let n = 1 + random.below(3); n > 0; n--) bytes = damaged(bytes, random)
  return bytes
}

/** What stands in a file: texts by id, in order, and the numbers of the lines that are no issue. */
export interface Expected {
  readonly texts: ReadonlyMap<string, ReadonlyArray<string>>
  readonly unreadable: ReadonlyArray<number>
}

const idIn = (text: string): string | undefined => {
  const value: unknown = JSON.parse(text)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  const ids = JsonText.members(text).filter(({ key }) => key === "id")
  const id: unknown = ids.length === 1 ? JSON.parse(ids[0]?.value ?? "") : undefined
  return typeof id === "string" && id !== "" && Buffer.from(id).toString() === id && !id.includes("\0") ? id : undefined
}

/** By the platform's own decoders, line by line. */
export const expectedOf = (bytes: Buffer): Expected => {
  const texts = new Map<string, ReadonlyArray<string>>()
  const unreadable: Array<number> = []
  const pieces: Array<Buffer> = []
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(10, from)
    pieces.push(bytes.subarray(from, to < 0 ? bytes.length : to))
    from = to < 0 ? bytes.length : to + 1
  }
  pieces.forEach((piece, index) => {
    let id: string | undefined
    let text = ""
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(piece).replace(/\r$/, "")
      if (/^[ \t\r]*$/.test(text)) return
      id = idIn(text)
    } catch {
      id = undefined
    }
    if (id === undefined) unreadable.push(index + 1)
    else texts.set(id, [...(texts.get(id) ?? []), text])
  })
  return { texts, unreadable }
}
