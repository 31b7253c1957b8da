import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as FastCheck from "effect/FastCheck"
import * as IssueId from "../../src/domain/IssueId.ts"

const drawing = {
  prefix: "bd",
  title: "Fix the door",
  description: "",
  actor: "alice",
  nanoseconds: 1_763_888_400_000_000_001n,
  count: 0,
  taken: () => false
}

const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runSync(Effect.either(effect))
const found = (input: string, ids: ReadonlyArray<string>, prefix = "bd") => {
  const result = run(IssueId.resolve(input, ids, prefix))
  return result._tag === "Right"
    ? result.right
    : result.left._tag === "AmbiguousId"
      ? result.left.candidates
      : result.left._tag
}

describe("IssueId.generate", () => {
  it("contract: prefix, hyphen, base-36 digits of the SHA-256 over what was given", () => {
    // reckoned apart, with Python: sha256("Fix the door||alice|1763888400000000001|0") mod 36^4
    expect(IssueId.generate(drawing)).toBe("bd-lx57")
    expect(IssueId.generate({ ...drawing, prefix: "my-app" })).toBe("my-app-lx57")
  })

  it("contract: every part of the content and the time count", () => {
    const others = [
      { ...drawing, title: "Fix the window" },
      { ...drawing, description: "it creaks" },
      { ...drawing, actor: "bob" },
      { ...drawing, nanoseconds: drawing.nanoseconds + 1n }
    ].map(IssueId.generate)
    expect(new Set([IssueId.generate(drawing), ...others]).size).toBe(5)
  })

  it("contract: the length follows the birthday bound of 1 %, from 4 to 8", () => {
    const bound = (count: number, length: number) => 1 - Math.exp(-(count ** 2) / (2 * 36 ** length))
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.nat(1000), FastCheck.nat(400_000)), count => {
        const length = IssueId.hashLength(count)
        expect(length).toBeGreaterThanOrEqual(4)
        expect(length).toBeLessThanOrEqual(8)
        if (length < 8) expect(bound(count, length)).toBeLessThanOrEqual(0.01)
        if (length > 4) expect(bound(count, length - 1)).toBeGreaterThan(0.01)
      })
    )
    expect([0, 183, 184, 1_102, 1_103].map(IssueId.hashLength)).toEqual([4, 4, 5, 5, 6])
    expect(IssueId.hashLength(10_000_000)).toBe(8)
    expect(IssueId.generate({ ...drawing, count: 500 })).toMatch(/^bd-[0-9a-z]{5}$/)
  })

  it("contract: on a collision another nonce, after ten of them a longer id", () => {
    const asked: Array<string> = []
    const id = IssueId.generate({
      ...drawing,
      taken: candidate => {
        asked.push(candidate)
        return asked.length <= 12
      }
    })
    expect(asked.map(candidate => candidate.length - 3)).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5])
    expect(new Set(asked).size).toBe(13)
    expect(id).toBe(asked[12])
  })

  it("contract: with every nonce of every length taken it goes on until one is free", () => {
    let asked = 0
    const id = IssueId.generate({ ...drawing, taken: () => ++asked <= 60 })
    expect(id).toMatch(/^bd-[0-9a-z]{8}$/)
  })
})

describe("IssueId.childId", () => {
  const child = (parent: string, existing: ReadonlyArray<string>, last?: number) =>
    run(IssueId.childId(parent, existing, last))

  it("contract: numbers follow the highest child and the counter, and are never used twice", () => {
    const existing = ["bd-a", "bd-a.1", "bd-a.10", "bd-a.2.7", "bd-ab.99", "bd-a.x", "bd-a.99999999999999999999"]
    expect(child("bd-a", existing)).toMatchObject({ right: "bd-a.11" })
    expect(child("bd-a", existing, 20)).toMatchObject({ right: "bd-a.21" })
    expect(child("bd-a", existing, 3)).toMatchObject({ right: "bd-a.11" })
    expect(child("bd-a.2", existing)).toMatchObject({ right: "bd-a.2.8" })
    expect(child("bd-new", existing)).toMatchObject({ right: "bd-new.1" })
  })

  it("contract: three levels below the root, no more; dots of a prefix are no levels", () => {
    expect(child("bd-a.1.2", [])).toMatchObject({ right: "bd-a.1.2.1" })
    expect(child("bd-a.1.2.3", [])).toMatchObject({
      left: { _tag: "InvalidValue", field: "parent", value: "bd-a.1.2.3" }
    })
    expect(child("v1.2.3-a", [])).toMatchObject({ right: "v1.2.3-a.1" })
    expect(["bd-a", "bd-a.1", "bd-a.1.2", "site.com-a"].map(IssueId.depth)).toEqual([0, 1, 2, 0])
  })
})

describe("IssueId prefixes", () => {
  it("contract: the default prefix is the commonest before the last hyphen", () => {
    expect(IssueId.commonestPrefix(["my-app-a1", "my-app-b2.1", "UI-1"])).toBe("my-app")
    expect(IssueId.commonestPrefix(["b-1", "a-1"])).toBe("a")
    expect(IssueId.commonestPrefix(["plain", "-x"])).toBeUndefined()
    expect(IssueId.commonestPrefix([])).toBeUndefined()
  })

  it("G33: from a directory of any name comes a prefix that can be typed without quotes", () => {
    const names = { "my-app": "my-app", "Mein Projekt ü": "Mein-Projekt-ü", "u\u0308": "ü", ".": "bd", "": "bd" }
    for (const [name, prefix] of Object.entries(names)) expect(IssueId.prefixFrom(name)).toBe(prefix)
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), name => {
        expect(IssueId.prefixFrom(name)).toMatch(/^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,63}$/u)
        expect(IssueId.prefixFrom(name)).not.toMatch(/[-.]$/)
      })
    )
  })
})

describe("IssueId.decode", () => {
  it("G33: an id with white space, control characters, NUL or a lone surrogate is refused, any other taken", () => {
    for (const id of ["", "a b", "a\nb", "a\u0000", "a\u001b[2J", "a\u009b", "a\ud800"]) {
      expect(Exit.isFailure(Effect.runSyncExit(IssueId.decode(id)))).toBe(true)
    }
    for (const id of ["bd-a1", "nohyphen", "__proto__", "ä-1", "a/../b", "😀-1"]) {
      expect(Effect.runSync(IssueId.decode(id))).toBe(id)
    }
  })
})

describe("IssueId.resolve", () => {
  const ids = ["bd-a3f8", "bd-a3f9", "bd-c1", "UI-7", "UI-70", "bd-a3f9.1", "my-app-zz9"]

  it("contract: the exact id comes first", () => {
    expect(found("bd-c1", ids)).toBe("bd-c1")
    expect(found("UI-7", ids)).toBe("UI-7")
    expect(found("bd-a3f9", ids)).toBe("bd-a3f9")
    expect(found("c1", ["c1", "bd-c1"])).toBe("c1")
  })

  it("contract: then the hash part, then the only one that contains it", () => {
    expect(found("a3f9", ids)).toBe("bd-a3f9")
    expect(found("7", ids)).toBe("UI-7")
    expect(found("f8", ids)).toBe("bd-a3f8")
    expect(found("bd-f8", ids)).toBe("bd-a3f8")
    expect(found("zz", ids)).toBe("my-app-zz9")
    expect(found("app-zz", ids)).toBe("my-app-zz9")
    expect(found("c1", ["bd-c1", "UI-c1"])).toBe("bd-c1")
  })

  it("contract: an ambiguous one lists its candidates", () => {
    expect(found("a3", ids)).toEqual(["bd-a3f8", "bd-a3f9", "bd-a3f9.1"])
    expect(found("c1", ["x-c1", "y-c1", "x-c12"])).toEqual(["x-c1", "y-c1"])
    const many = Array.from({ length: 40 }, (_, i) => `bd-q${i + 10}`)
    const error = run(Effect.flip(IssueId.resolve("q", many, "bd")))
    expect(error).toMatchObject({ right: { _tag: "AmbiguousId" } })
    if (error._tag === "Right") expect(error.right.message).toContain("and 30 more")
  })

  it("contract: what nothing matches is not found; the prefix alone is no abbreviation", () => {
    for (const input of ["", "bd-", "bd", "nope", "bd-nope"]) expect(found(input, ids)).toBe("IssueNotFound")
    expect(found("x", [])).toBe("IssueNotFound")
  })
})
