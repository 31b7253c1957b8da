/**
 * Versions of one issue for property tests: few values a field, so that clashes, equal instants and equal values in
 * different writing are common; stray and contradictory lines included.
 */
import * as FastCheck from "effect/FastCheck"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"
import { read } from "./read.ts"

/** A record of plain values, in the order given. */
export const issue = (fields: Readonly<Record<string, unknown>>): IssueRecord.IssueRecord =>
  read(JSON.stringify({ id: "bd-1", ...fields }))

export const line = IssueRecord.line

/** The field as a plain value. */
export const field = (record: IssueRecord.IssueRecord, key: string): unknown => {
  const value = IssueRecord.get(record, key)
  return value === undefined ? undefined : JSON.parse(value)
}

/** The n-th second of the time these tests play in. */
export const at = (n: number): string => `2026-01-01T00:00:0${n}Z`

const time = FastCheck.oneof(
  { weight: 8, arbitrary: FastCheck.integer({ min: 1, max: 4 }).map(n => JSON.stringify(at(n))) },
  // the same instants in another writing
  { weight: 2, arbitrary: FastCheck.integer({ min: 1, max: 4 }).map(n => `"2026-01-01T02:00:0${n}.000+02:00"`) },
  { weight: 1, arbitrary: FastCheck.constantFrom('"soon"', "null", "7", '""') }
)

const maybe = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary, { nil: undefined })

/** Keys that an object literal cannot hold. */
const written: Readonly<Record<string, string>> = { proto: "__proto__" }

const object = (members: Readonly<Record<string, string | undefined>>, gap: string): string =>
  `{${Object.entries(members)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${JSON.stringify(written[key] ?? key)}:${gap}${value}`]))
    .join(`,${gap}`)}}`

const gap = FastCheck.constantFrom("", "", "", " ")

const dependency = FastCheck.record({
  issue_id: FastCheck.constant('"bd-1"'),
  depends_on_id: FastCheck.constantFrom('"bd-2"', '"bd-3"'),
  type: FastCheck.constantFrom('"blocks"', '"related"'),
  created_at: time,
  metadata: maybe(FastCheck.constantFrom("1", "1.0", "2"))
})

const comment = FastCheck.record({
  id: maybe(FastCheck.constantFrom("1", "2", "3", '"uuid"', "1.0")),
  issue_id: FastCheck.constant('"bd-1"'),
  author: FastCheck.constantFrom('"ann"', '"bob"'),
  text: FastCheck.constantFrom('"yes"', '"no"'),
  created_at: time
})

const array = (element: FastCheck.Arbitrary<string>) =>
  FastCheck.oneof(
    {
      weight: 12,
      arbitrary: FastCheck.tuple(FastCheck.array(element, { maxLength: 3 }), gap).map(
        ([elements, space]) => `[${elements.join(`,${space}`)}]`
      )
    },
    { weight: 1, arbitrary: FastCheck.constant("null") }
  )

const elementOf = (fields: FastCheck.Arbitrary<Record<string, string | undefined>>) =>
  FastCheck.oneof(
    { weight: 12, arbitrary: FastCheck.tuple(fields, gap).map(([members, space]) => object(members, space)) },
    { weight: 1, arbitrary: FastCheck.constantFrom("7", '"stray"') }
  )

const labels = array(FastCheck.constantFrom('"a"', '"b"', '"c"', '"\\u0061"', '"a b"'))

/** What a key may hold, as source text. */
const values: Readonly<Record<string, FastCheck.Arbitrary<string | undefined>>> = {
  title: FastCheck.constantFrom('"A"', '"B"', '"\\u0041"'),
  description: maybe(FastCheck.constantFrom('""', '"x"', '"y"')),
  status: FastCheck.constantFrom('"open"', '"closed"', '"in_progress"', '"tombstone"', '"hooked"'),
  priority: FastCheck.constantFrom("1", "1.0", "2"),
  created_at: FastCheck.constantFrom('"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00.5Z"'),
  updated_at: maybe(time),
  closed_at: maybe(time),
  close_reason: maybe(FastCheck.constantFrom('"done"', '"no"')),
  labels: maybe(labels),
  dependencies: maybe(array(elementOf(dependency))),
  comments: maybe(array(elementOf(comment))),
  deleted_at: maybe(time),
  deleted_by: maybe(FastCheck.constantFrom('"ann"', '"bob"')),
  undeleted_at: maybe(time),
  renamed_to: maybe(FastCheck.constantFrom('"bd-9"')),
  later_field: maybe(FastCheck.constantFrom("[1,2]", "[1, 2.0]", '{"a":1}', "9007199254740993")),
  proto: maybe(FastCheck.constantFrom("1", "2")),
  content_hash: maybe(FastCheck.constantFrom('"h1"', '"h2"'))
}
const keys = Object.keys(values)

const write = (fields: Readonly<Record<string, string | undefined>>, order: ReadonlyArray<string>, space: string) =>
  read(object(Object.fromEntries(["id", ...order].map(key => [key, key === "id" ? '"bd-1"' : fields[key]])), space))

const order = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constant<ReadonlyArray<string>>(keys) },
  { weight: 1, arbitrary: FastCheck.shuffledSubarray(keys, { minLength: keys.length }) }
)

const fields = FastCheck.record(values) as FastCheck.Arbitrary<Record<string, string | undefined>>

/** Any version of the issue. */
export const version: FastCheck.Arbitrary<IssueRecord.IssueRecord> = FastCheck.tuple(fields, order, gap).map(
  ([from, by, space]) => write(from, by, space)
)

/** An ancestor and versions that differ from it in a few keys. */
export const history = (versions: number) =>
  FastCheck.tuple(
    fields,
    order,
    gap,
    FastCheck.array(
      FastCheck.tuple(fields, FastCheck.subarray(keys, { maxLength: 5 }), order, gap, FastCheck.boolean()),
      { minLength: versions, maxLength: versions }
    )
  ).map(([from, by, space, edits]) => ({
    base: write(from, by, space),
    versions: edits.map(([to, changed, reordered, otherSpace, isRewritten]) =>
      write(
        { ...from, ...Object.fromEntries(changed.map(key => [key, to[key]])) },
        isRewritten ? reordered : by,
        isRewritten ? otherSpace : space
      )
    )
  }))

/** An ancestor and versions that say the same in an odd way: elements twice, other numbers, another order of keys. */
export const oddities = (versions: number) =>
  FastCheck.tuple(
    version,
    FastCheck.array(
      FastCheck.tuple(
        FastCheck.constantFrom("labels", "dependencies", "comments", "keys", "numbers"),
        FastCheck.nat(5),
        FastCheck.nat(5)
      ),
      { minLength: versions, maxLength: versions }
    )
  ).map(([base, oddness]) => ({
    base,
    versions: oddness.map(([where, from, to]) => {
      const move = <A>(all: ReadonlyArray<A>, keep: boolean): Array<A> => {
        const out = [...all]
        const [moved] = all.slice(from % Math.max(1, all.length))
        if (moved === undefined) return out
        if (!keep) out.splice(from % all.length, 1)
        out.splice(to % all.length, 0, moved)
        return out
      }
      const members =
        where === "keys"
          ? move(base.members, false)
          : base.members.map(({ key, value }) => {
              if (where === "numbers" && key === "comments") {
                return { key, value: value.replace(/"id": ?\d/g, `"id":${to}`) }
              }
              return key === where && JsonText.kind(value) === "array"
                ? { key, value: JsonText.encodeArray(move(JsonText.elements(value), true)) }
                : { key, value }
            })
      return read(JsonText.encodeObject(members))
    })
  }))
