/** Lossless JSON text against `JSON.parse` as oracle, and where `JSON.parse` itself is not good enough. */
import { isDeepStrictEqual } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as JsonText from "../../src/domain/JsonText.ts"

/** A JSON value with what `JSON.parse` loses: doubled keys, and the order of keys. */
type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly pairs: ReadonlyArray<[string, Json]> }

/**
 * No key is a backslash alone: once the V8 of Node 24.21 has read one, its `JSON.parse` takes every key that is one
 * escape, `"\n"` say, for that. It is the oracle's defect: `JsonText` gives `JSON.parse` no objects.
 */
const keys = FastCheck.constantFrom(
  "a",
  "b",
  "2",
  "1",
  "__proto__",
  "constructor",
  "",
  '"',
  "\\\\",
  "é",
  "\ud800",
  "{}"
)
const strings = FastCheck.oneof(
  keys,
  FastCheck.constantFrom("\\u0061", "[1,2]", '{"a":1}', "\u2028<&>", "\0\n\r\t\b\f", "😀", "1", "null"),
  FastCheck.string({ unit: "binary", maxLength: 4 })
)
const json: FastCheck.Arbitrary<Json> = FastCheck.letrec<{ value: Json }>(tie => ({
  value: FastCheck.oneof(
    { depthSize: "small", withCrossShrink: true },
    FastCheck.constantFrom<Json>(null, true, false),
    FastCheck.integer({ min: -12, max: 120 }),
    strings,
    FastCheck.array(tie("value"), { maxLength: 4 }),
    FastCheck.array(FastCheck.tuple(keys, tie("value")), { maxLength: 5 }).map(pairs => ({ pairs }))
  )
})).value

/** A source of choices that a seed determines. */
const choices = (seed: number) => {
  let state = seed >>> 0
  return (count: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % count
  }
}
type Choose = ReturnType<typeof choices>

const space = (choose: Choose) => ["", "", "", " ", "\t", " \r\n "][choose(6)] ?? ""

const renderString = (value: string, choose: Choose): string => {
  if (choose(2) === 0) return JSON.stringify(value)
  const units = Array.from({ length: value.length }, (_, i) => {
    const code = value.charCodeAt(i)
    const mustEscape = code < 32 || code === 34 || code === 92
    const hex = code.toString(16).padStart(4, "0")
    return mustEscape || choose(2) === 0 ? `\\u${choose(2) === 0 ? hex : hex.toUpperCase()}` : value.charAt(i)
  })
  return `"${units.join("")}"`
}

const renderNumber = (value: number, choose: Choose): string => {
  const forms =
    value === 0
      ? ["0", "-0", "0.0", "0e0", "0.00E+7", "-0e-0003"]
      : [`${value}`, `${value}.0`, `${value}e0`, `${value}.00E+0`, `${value}0e-1`, `${value}000e-0003`]
  return forms[choose(forms.length)] ?? ""
}

/** The value as somebody may have written it. */
const render = (value: Json, choose: Choose): string => {
  const pad = (text: string) => space(choose) + text + space(choose)
  if (value === null || typeof value === "boolean") return String(value)
  if (typeof value === "number") return renderNumber(value, choose)
  if (typeof value === "string") return renderString(value, choose)
  if ("pairs" in value) {
    const parts = value.pairs.map(([key, item]) => `${pad(renderString(key, choose))}:${pad(render(item, choose))}`)
    return `{${parts.length === 0 ? space(choose) : parts.join(",")}}`
  }
  return `[${value.length === 0 ? space(choose) : value.map(item => pad(render(item, choose))).join(",")}]`
}

const seeds = FastCheck.integer({ min: 0, max: 2 ** 31 })

/** As `JSON.parse` reads it, with `-0` as `0`. */
const parsed = (text: string): unknown => JSON.parse(text, (_, value) => (value === 0 ? 0 : value))

describe("canonical", () => {
  it("G18: a key that is a backslash is another than one that is another escape", () => {
    expect(JsonText.canonical('{"a":1,"\\\\":2}')).toBe('{"\\\\":2e0,"a":1e0}')
    expect(JsonText.canonical('{"a":1,"\\n":2}')).toBe('{"\\n":2e0,"a":1e0}')
    expect(JsonText.canonical('{"a":1,"\\u005c":2}')).toBe('{"\\\\":2e0,"a":1e0}')
  })

  it("G18: two writings of one value are recognised as the same value", () => {
    FastCheck.assert(
      FastCheck.property(json, seeds, seeds, (value, one, other) => {
        const a = render(value, choices(one))
        const b = render(value, choices(other))
        expect(JsonText.canonical(a)).toBe(JsonText.canonical(b))
        expect(isDeepStrictEqual(parsed(JsonText.canonical(a)), parsed(a))).toBe(true)
      }),
      { numRuns: 1000 }
    )
  })

  it("G18: canonical texts are equal exactly if JSON.parse reads equal values", () => {
    // a value and a neighbour of it, so that equal and nearly equal pairs are common
    const pairs = FastCheck.tuple(json, json, FastCheck.integer({ min: 0, max: 3 })).map(
      ([a, b, form]): [Json, Json] =>
        form === 0
          ? [a, b]
          : form === 1
            ? [
                [a, b],
                [b, a]
              ]
            : form === 2
              ? [
                  {
                    pairs: [
                      ["a", a],
                      ["b", b]
                    ]
                  },
                  {
                    pairs: [
                      ["b", b],
                      ["a", a]
                    ]
                  }
                ]
              : [
                  {
                    pairs: [
                      ["a", a],
                      ["a", b]
                    ]
                  },
                  { pairs: [["a", b]] }
                ]
    )
    let equal = 0
    let different = 0
    FastCheck.assert(
      FastCheck.property(pairs, seeds, seeds, ([one, other], s1, s2) => {
        const a = render(one, choices(s1))
        const b = render(other, choices(s2))
        const same = isDeepStrictEqual(parsed(a), parsed(b))
        if (same) equal++
        else different++
        expect(JsonText.canonical(a) === JsonText.canonical(b)).toBe(same)
      }),
      { numRuns: 2000 }
    )
    expect(Math.min(equal, different)).toBeGreaterThan(100)
  })

  it.each([
    ["1", "1.0", true],
    ["100", "1e2", true],
    ["0.1", "1E-1", true],
    ["0.10", "0.1", true],
    ["-0", "0.00e5", true],
    ["9007199254740993", "9007199254740992", false],
    ["9007199254740993", "9007199254740993.0", true],
    ["0.1", "0.1000000000000000055", false],
    ["1", "-1", false],
    ["1", "10", false],
    ["1", '"1"', false],
    ["1e400", "1e401", false],
    ["1e999999999999", "10e999999999998", true],
    ["1e999999999999", "1e999999999998", false],
    ["1e-999999999999999999999", "0.1e-999999999999999999998", true],
    ['"\\ud800"', '"\\uD800"', true],
    ['"\\ud800"', '"\\\\ud800"', false],
    ['"\\ud83d\\ude00"', '"😀"', true],
    ['{"__proto__":1}', "{}", false],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', false],
    ['{"1":0,"0":0}', '{"0":0,"1":0}', true],
    ['{"a":1,"a":2}', '{"a":2}', true],
    ["[]", "{}", false],
    ["[[]]", "[]", false],
    ["[[],[]]", "[[[]]]", false],
    ["null", '"null"', false]
  ])("G18: %s and %s are the same value: %s", (a, b, same) => {
    expect(JsonText.canonical(a) === JsonText.canonical(b)).toBe(same)
  })
})

describe("hostile values", () => {
  const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

  it.each([
    ["arrays", deep("[", "]", 200_000)],
    ["objects", `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`],
    ["arrays in arrays", `${"[1,".repeat(200_000)}2${"]".repeat(200_000)}`]
  ])("G33: 200,000 levels of %s cost no stack and no more than linear time", (_, value) => {
    expect(JsonText.isValid(value)).toBe(true)
    expect(JsonText.members(`{"id":"a","x":${value}}`)).toEqual([
      { key: "id", value: '"a"' },
      { key: "x", value }
    ])
    expect(JsonText.canonical(value) === JsonText.canonical(` ${value}`)).toBe(true)
    expect(JsonText.canonical(value) === JsonText.canonical(`[${value}]`)).toBe(false)
  })

  it("G33: numbers of a million digits take linear time", () => {
    const zeros = "0".repeat(1_000_000)
    expect(JsonText.canonical(`1${zeros}1`)).toBe(`1${zeros}1e0`)
    expect(JsonText.canonical(`0.${zeros}1`)).toBe("1e-1000001")
    expect(JsonText.canonical(`1${zeros}`)).toBe("1e1000000")
    expect(JsonText.canonical(`1e${"9".repeat(100_000)}`)).toBe(`1e${"9".repeat(100_000)}`)
  })

  it("G33: a string of a million quotes and backslashes takes linear time", () => {
    const text = JsonText.encodeString('\\"'.repeat(1_000_000))
    expect(JsonText.decodeString(text)).toBe('\\"'.repeat(1_000_000))
    expect(JsonText.elements(`[${text},1]`)).toEqual([text, "1"])
  })

  it("G33: isValid answers for any text and never throws", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: FastCheck.constantFrom(...'[]{}",:\\01e-. untrfalse\u0000\ud800') }),
        text => {
          expect(typeof JsonText.isValid(text)).toBe("boolean")
        }
      )
    )
    expect(JsonText.isValid("[".repeat(1_000_000))).toBe(false)
    expect(JsonText.isValid("")).toBe(false)
  })
})

describe("members and elements", () => {
  it("G18: the members of an object are its keys and the exact texts of its values, in order, doubles included", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(keys, json), { maxLength: 6 }), seeds, (entries, seed) => {
        const choose = choices(seed)
        const pad = (text: string) => space(choose) + text + space(choose)
        const expected = entries.map(([key, value]) => ({ key, value: render(value, choose) }))
        const written = expected.map(({ key, value }) => `${pad(renderString(key, choose))}:${pad(value)}`)
        const object = pad(`{${written.length === 0 ? space(choose) : written.join(",")}}`)
        expect(JsonText.members(object)).toEqual(expected)
        expect(JsonText.members(JsonText.encodeObject(expected))).toEqual(expected)
      }),
      { numRuns: 1000 }
    )
  })

  it("G18: the elements of an array are the exact texts of its values, in order", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(json, { maxLength: 6 }), seeds, (values, seed) => {
        const choose = choices(seed)
        const pad = (text: string) => space(choose) + text + space(choose)
        const expected = values.map(value => render(value, choose))
        const array = pad(`[${expected.length === 0 ? space(choose) : expected.map(pad).join(",")}]`)
        expect(JsonText.elements(array)).toEqual(expected)
        expect(JsonText.elements(JsonText.encodeArray(expected))).toEqual(expected)
      }),
      { numRuns: 1000 }
    )
  })

  it("G18: what JSON.parse would lose is there", () => {
    const object = '{"2":1.0,"1":1e2,"__proto__":{"x":9007199254740993},"2":-0, "é" : [ 1 , {} ] }'
    expect(JsonText.members(object)).toEqual([
      { key: "2", value: "1.0" },
      { key: "1", value: "1e2" },
      { key: "__proto__", value: '{"x":9007199254740993}' },
      { key: "2", value: "-0" },
      { key: "é", value: "[ 1 , {} ]" }
    ])
  })
})

describe("strings", () => {
  it.each([
    ["<a href='x'>&amp;</a>", `"\\u003ca href='x'\\u003e\\u0026amp;\\u003c/a\\u003e"`],
    ["\u2028\u2029", '"\\u2028\\u2029"'],
    ['"\\/', '"\\"\\\\/"'],
    ["\b\f\n\r\t", '"\\b\\f\\n\\r\\t"'],
    ["\0\x01\x1f\x7f", '"\\u0000\\u0001\\u001f\x7f"'],
    ["é 日本 😀", '"é 日本 😀"'],
    ["\ud800", '"\\ud800"'],
    ["\udc00\ud83d\ude00\ud83d", '"\\udc00😀\\ud83d"'],
    ["", '""']
  ])("G18: %j is written as Go's encoder writes it", (value, text) => {
    expect(JsonText.encodeString(value)).toBe(text)
  })

  it("G18: any string survives writing and reading, and is text that UTF-8 can hold", () => {
    const any = FastCheck.string({
      unit: FastCheck.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code))
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(any, strings), value => {
        const text = JsonText.encodeString(value)
        expect(JsonText.decodeString(text)).toBe(value)
        expect(Buffer.from(text).toString()).toBe(text)
      }),
      { numRuns: 1000 }
    )
  })

  it("G18: other kinds of value are no strings and no numbers", () => {
    for (const text of [undefined, "1", "null", "true", "[]", '{"a":""}']) {
      expect(JsonText.decodeString(text)).toBeUndefined()
    }
    for (const text of [undefined, '"1"', "null", "true", "[1]", "{}"]) {
      expect(JsonText.decodeNumber(text)).toBeUndefined()
    }
    expect(JsonText.decodeNumber("-1.5e3")).toBe(-1500)
  })

  it("G33: a number beyond all numbers is none", () => {
    for (const text of ["1e400", "-1e400", "9".repeat(400)]) expect(JsonText.decodeNumber(text)).toBeUndefined()
    expect(JsonText.decodeNumber("1e-400")).toBe(0)
    expect(JsonText.decodeNumber("1e308")).toBe(1e308)
  })

  it("G18: oneLine keeps the value and needs neither line feeds nor halves of surrogate pairs", () => {
    FastCheck.assert(
      FastCheck.property(json, seeds, (value, seed) => {
        const text = render(value, choices(seed))
        const line = JsonText.oneLine(text)
        expect(line).not.toContain("\n")
        expect(Buffer.from(line).toString()).toBe(line)
        expect(JsonText.canonical(line)).toBe(JsonText.canonical(text))
      }),
      { numRuns: 1000 }
    )
  })
})
