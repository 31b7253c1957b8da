import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Testing from "../../src/testing/Testing.ts"
import { type Draft, Tracker } from "../../src/tracker/Tracker.ts"
import { randomOf } from "../random.ts"

const inMemory = <A, E>(body: (tracker: Tracker["Type"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(Tracker, body).pipe(Effect.provide(Testing.layer()), Effect.scoped)

const everything = (tracker: Tracker["Type"]) =>
  Effect.map(tracker.list({ sort: "id" }), ({ items }) => items.map(({ issue }) => issue))

describe("Creation", () => {
  it.effect("contract: drafts name one another by key and by id, and their order is the order of their age", () =>
    inMemory(tracker =>
      Effect.gen(function* () {
        const there = yield* tracker.create({ title: "there" })
        const created = yield* tracker.createMany([
          { title: "second", key: "b", parent: "a", dependencies: [{ id: "test-own", type: "related" }] },
          { title: "first", key: "a", blocks: ["test-own", there.id] },
          { title: "third", id: "test-own", key: "own", parent: "b" },
          { title: "fourth", parent: "b" }
        ])
        const [b, a, own, fourth] = created.map(({ issue }) => issue)
        expect(created.map(({ existed }) => existed)).toEqual([false, false, false, false])
        expect([b?.id, own?.id, fourth?.id]).toEqual([`${a?.id}.1`, "test-own", `${b?.id}.1`])
        const links = (id = "") =>
          Effect.map(tracker.show(id), ({ dependencies }) =>
            dependencies.map(({ dependencyType, issue }) => `${dependencyType} ${issue.id}`).sort()
          )
        expect(yield* links(b?.id)).toEqual([`parent-child ${a?.id}`, "related test-own"])
        expect(yield* links(own?.id)).toEqual([`blocks ${a?.id}`, `parent-child ${b?.id}`])
        expect(yield* links(there.id)).toEqual([`blocks ${a?.id}`])
        const stamps = created.map(({ issue }) => issue.created_at)
        expect([...stamps].sort((one, other) => (one.replace("Z", "") < other.replace("Z", "") ? -1 : 1))).toEqual(
          stamps
        )
        expect(new Set(stamps).size).toBe(4)
      })
    )
  )

  it.effect("contract: an external reference names one issue, however it is asked for", () =>
    inMemory(tracker =>
      Effect.gen(function* () {
        const first = yield* tracker.create({ title: "one", external_ref: "gh-<1>" })
        expect(yield* tracker.create({ title: "two", external_ref: "gh-<1>", priority: 0 })).toEqual(first)
        const [again, other] = yield* tracker.createMany([
          { title: "again", external_ref: "gh-<1>", key: "k" },
          { title: "other", parent: "k" }
        ])
        expect(again).toEqual({ issue: first, existed: true })
        expect(other?.issue.id).toBe(`${first.id}.1`)
        expect(yield* everything(tracker)).toHaveLength(2)
        yield* tracker.update(first.id, { external_ref: "" })
        expect((yield* tracker.create({ title: "free again", external_ref: "gh-<1>" })).id).not.toBe(first.id)
      })
    )
  )

  it.effect("G19: a renamed issue is found by its external reference, a deleted one is refused", () =>
    inMemory(tracker =>
      Effect.gen(function* () {
        const first = yield* tracker.create({ title: "one", external_ref: "gh-1" })
        yield* tracker.renamePrefix("new")
        const found = yield* tracker.create({ title: "one", external_ref: "gh-1" })
        expect(found.id).toBe(first.id.replace("test-", "new-"))
        yield* tracker.delete([found.id])
        const refused = yield* Effect.flip(tracker.create({ title: "one", external_ref: "gh-1" }))
        expect(refused).toMatchObject({ _tag: "Conflict", id: found.id })
        const forced = yield* tracker.create({ title: "one", external_ref: "gh-1", force: true })
        expect((yield* tracker.create({ title: "one", external_ref: "gh-1" })).id).toBe(forced.id)
      })
    )
  )

  const two = (one: Omit<Draft, "title">, other: Omit<Draft, "title">): ReadonlyArray<Draft> => [
    { title: "a", ...one },
    { title: "b", ...other }
  ]
  const refused: ReadonlyArray<readonly [string, number, string, ReadonlyArray<Draft>]> = [
    ["a title is bad", 1, "InvalidValue", [{ title: "a" }, { title: "" }]],
    ["a parent does not exist", 1, "IssueNotFound", two({}, { parent: "nobody" })],
    ["a target does not exist", 0, "IssueNotFound", two({ blocks: ["nobody"] }, {})],
    ["two share a key", 1, "InvalidValue", two({ key: "k" }, { key: "k" })],
    ["a key is another's id", 1, "InvalidValue", two({ id: "test-k" }, { key: "test-k" })],
    ["two share a reference", 1, "InvalidValue", two({ external_ref: "r" }, { external_ref: "r" })],
    [
      "one depends on itself",
      0,
      "InvalidValue",
      [{ title: "a", key: "k", dependencies: [{ id: "k", type: "blocks" }] }]
    ],
    ["one is its own parent", 0, "CycleFound", [{ title: "a", key: "k", parent: "k" }]],
    ["parents go round", 1, "CycleFound", two({ key: "a", parent: "b" }, { key: "b", parent: "a" })],
    [
      "the depth is too great",
      4,
      "InvalidValue",
      ["a", "b", "c", "d", "e"].map((key, i, all) => ({
        title: key,
        key,
        ...(i === 0 ? {} : { parent: all[i - 1] ?? "" })
      }))
    ]
  ]
  for (const [what, index, tag, drafts] of refused) {
    it.effect(`contract: all or none: ${what}`, () =>
      inMemory(tracker =>
        Effect.gen(function* () {
          const failure = yield* Effect.flip(tracker.createMany(drafts))
          expect(failure).toMatchObject({ _tag: "DraftRefused", index, error: { _tag: tag } })
          expect(yield* everything(tracker)).toEqual([])
        })
      )
    )
  }

  it.effect("contract: parents that go round are named from where they do, however one gets there", () =>
    inMemory(tracker =>
      Effect.gen(function* () {
        const pathOf = (...drafts: ReadonlyArray<Draft>) =>
          Effect.map(Effect.flip(tracker.createMany(drafts)), failure =>
            failure._tag === "DraftRefused" && failure.error._tag === "CycleFound" ? failure.error.path : failure
          )
        const child = { title: "child", key: "c", parent: "a" }
        expect(yield* pathOf(child, { title: "a", key: "a", parent: "a" })).toEqual(["a", "a"])
        expect(
          yield* pathOf(child, { title: "a", key: "a", parent: "b" }, { title: "b", key: "b", parent: "a" })
        ).toEqual(["a", "b", "a"])
      })
    )
  )

  it.effect("contract: a cycle is refused exactly where one by one would be, whatever the drafts link to", () =>
    Effect.gen(function* () {
      const random = randomOf(5)
      let refusals = 0
      for (let round = 0; round < 60; round++) {
        const names = Array.from({ length: 2 + random.below(5) }, (_, i) => `test-${i}`)
        const types = ["blocks", "related", "parent-child"]
        const drafts = names.map((id): Draft => {
          const links = names
            .filter(name => name !== id && random.below(4) === 0)
            .map(name => ({ id: name, type: random.pick(types) }))
          return { id, title: id, dependencies: links }
        })
        const together = yield* inMemory(tracker => Effect.exit(tracker.createMany(drafts)))
        const oneByOne = yield* inMemory(tracker =>
          Effect.gen(function* () {
            for (const { id = "", title } of drafts) yield* tracker.create({ id, title })
            for (const { dependencies = [], id = "" } of drafts) {
              for (const link of dependencies) yield* tracker.addDependency(id, link.id, link.type)
            }
          }).pipe(Effect.exit)
        )
        expect(Exit.isSuccess(together)).toBe(Exit.isSuccess(oneByOne))
        if (Exit.isFailure(together)) refusals++
      }
      expect(refusals).toBeGreaterThan(10)
      expect(refusals).toBeLessThan(50)
    })
  )

  it.effect("contract: a dry run makes nothing, and gives no child's number away", () =>
    inMemory(tracker =>
      Effect.gen(function* () {
        const parent = yield* tracker.create({ title: "parent" })
        const drafts = [{ title: "child", parent: parent.id, blocks: [parent.id], external_ref: "r" }]
        expect(Exit.isFailure(yield* Effect.exit(tracker.createMany(drafts, { dryRun: true })))).toBe(true)
        const [looked] = yield* tracker.createMany([{ title: "child", parent: parent.id }], { dryRun: true })
        expect(looked?.issue.id).toBe(`${parent.id}.1`)
        expect(yield* everything(tracker)).toEqual([parent])
        expect((yield* tracker.create({ title: "child", parent: parent.id })).id).toBe(`${parent.id}.1`)
      })
    )
  )
})
