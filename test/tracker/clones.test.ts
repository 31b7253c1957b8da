/**
 * What earlier tools got wrong when clones met, one case each, in every way of meeting; each also with `beads.db` deleted
 * in one clone, before the meeting or after.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { type Clone, exchange, make, type Shown, type Way } from "./clones.ts"

type Loss = "kept" | "deleted before" | "deleted after"

const ways: ReadonlyArray<Way> = ["driver", "union", "import"]
const losses: ReadonlyArray<Loss> = ["kept", "deleted before", "deleted after"]
const cases = ways.flatMap(way => losses.map(loss => ({ way, loss })))

const later = TestClock.adjust("2 seconds")

/** Two clones that have all of ann's issues. */
const pair = Effect.fnUntraced(function* (way: Way, seed: (ann: Clone) => Effect.Effect<unknown, unknown>) {
  yield* TestClock.setTime(1_780_000_000_000)
  const { clones } = yield* make({ clones: 2, ways: [way], with: [] }, 1)
  const [ann, bob] = clones as [Clone, Clone]
  yield* seed(ann)
  yield* ann.commit
  yield* bob.meet(ann, way)
  expect(yield* bob.issues).toEqual(yield* ann.issues)
  yield* later
  return { ann, bob }
})

/** Both publish and meet, until nothing changes; the issues that both have then. */
const meet = Effect.fnUntraced(function* (ann: Clone, bob: Clone, way: Way, loss: Loss) {
  yield* later
  if (loss === "deleted before") yield* bob.loseStore
  yield* Effect.all([ann.commit, bob.commit])
  const before = yield* Effect.all([ann.issues, bob.issues])
  expect(before[0]).not.toEqual(before[1])
  expect(yield* exchange([ann, bob], () => way)).toBe(true)
  if (loss === "deleted after") {
    yield* bob.loseStore
    expect(yield* exchange([bob, ann], () => way)).toBe(true)
  }
  return yield* bob.issues
})

const alive = (issues: ReadonlyArray<Shown>) => issues.filter(({ status }) => status !== "tombstone")
const titles = (issues: ReadonlyArray<Shown>) =>
  alive(issues)
    .map(({ title }) => title)
    .sort()
const one = (issues: ReadonlyArray<Shown>, id: string) => issues.find(issue => issue.id === id)

describe.each(cases)("by $way, beads.db $loss", ({ loss, way }) => {
  it.scoped("G24: children that two clones created as parent.1 are two issues", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* pair(way, ({ tracker }) => tracker.create({ title: "parent", id: "p-1" }))
      const first = yield* ann.tracker.create({ title: "by ann", parent: "p-1" })
      yield* later
      const second = yield* bob.tracker.create({ title: "by bob", parent: "p-1" })
      expect([first.id, second.id]).toEqual(["p-1.1", "p-1.1"])
      yield* ann.tracker.addComment("p-1.1", "on ann's")
      yield* bob.tracker.addComment("p-1.1", "on bob's")
      const issues = yield* meet(ann, bob, way, loss)
      expect(titles(issues)).toEqual(["by ann", "by bob", "parent"])
      expect(one(issues, "p-1.1")?.title).toBe("by ann")
      for (const name of ["ann", "bob"]) {
        const child = issues.find(({ title }) => title === `by ${name}`)
        expect(child?.comments?.map(({ text }) => text)).toEqual([`on ${name}'s`])
        expect(child?.dependencies?.map(link => link.depends_on_id)).toEqual(["p-1"])
      }
      // the number is not given a third time
      expect((yield* bob.tracker.create({ title: "next", parent: "p-1" })).id).toBe("p-1.2")
    })
  )

  it.scoped("G24: issues that two clones created under one hash id are two issues", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* pair(way, ({ tracker }) => tracker.create({ title: "first", id: "p-1" }))
      yield* ann.tracker.create({ title: "by ann", id: "p-same" })
      yield* later
      yield* bob.tracker.create({ title: "by bob", id: "p-same" })
      yield* bob.tracker.addLabel("p-same", "bob's")
      yield* later
      // a later edit decides nothing about who was first
      yield* ann.tracker.update("p-same", { title: "by ann, edited" })
      const issues = yield* meet(ann, bob, way, loss)
      expect(titles(issues)).toEqual(["by ann, edited", "by bob", "first"])
      expect(one(issues, "p-same")).toMatchObject({ title: "by ann, edited" })
      expect(issues.find(({ title }) => title === "by bob")?.labels).toEqual(["bob's"])
      expect(one(issues, "p-same")?.labels).toBeUndefined()
    })
  )

  it.scoped(
    "G23: an undeleted issue lives on against a stale edit, which is kept; deleted again it stays deleted",
    () =>
      Effect.gen(function* () {
        const { ann, bob } = yield* pair(way, ({ tracker }) =>
          Effect.all([tracker.create({ title: "back", id: "p-1" }), tracker.create({ title: "gone", id: "p-2" })])
        )
        yield* ann.tracker.delete(["p-1", "p-2"])
        yield* later
        yield* bob.tracker.update("p-1", { notes: "noted by bob" })
        yield* bob.tracker.update("p-2", { notes: "noted by bob" })
        yield* later
        yield* ann.tracker.undelete("p-1")
        const issues = yield* meet(ann, bob, way, loss)
        expect(titles(issues)).toEqual(["back"])
        expect(one(issues, "p-1")).toMatchObject({ notes: "noted by bob", undeleted_at: expect.any(String) })
        expect(one(issues, "p-2")).toMatchObject({ status: "tombstone", notes: "noted by bob" })
        yield* bob.tracker.delete(["p-1"])
        yield* later
        yield* ann.tracker.update("p-1", { title: "edited after" })
        expect(titles(yield* meet(ann, bob, way, "kept"))).toEqual([])
      })
  )

  it.scoped("G19: an edit of an id that another clone renamed goes to the new id", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* pair(way, ({ tracker }) =>
        Effect.gen(function* () {
          yield* tracker.create({ title: "one", id: "p-1" })
          yield* tracker.create({ title: "two", id: "p-2", dependencies: [{ id: "p-1", type: "blocks" }] })
        })
      )
      yield* ann.tracker.renamePrefix("q", { from: "p" })
      yield* later
      yield* bob.tracker.update("p-1", { title: "edited by bob" })
      yield* bob.tracker.addComment("p-1", "bob says")
      const issues = yield* meet(ann, bob, way, loss)
      expect(alive(issues).map(({ id }) => id)).toEqual(["q-1", "q-2"])
      expect(one(issues, "q-1")).toMatchObject({ title: "edited by bob", comments: [{ text: "bob says" }] })
      expect(one(issues, "q-2")?.dependencies?.map(link => link.depends_on_id)).toEqual(["q-1"])
      expect(one(issues, "p-1")).toMatchObject({ status: "tombstone", renamed_to: "q-1" })
    })
  )

  it.scoped("G19: an issue that one clone undeletes and another has renamed lives on under the new id alone", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* pair(way, ({ tracker }) => tracker.create({ title: "one", id: "p-1" }))
      yield* ann.tracker.delete(["p-1"])
      yield* later
      yield* bob.tracker.renamePrefix("q", { from: "p" })
      yield* later
      yield* ann.tracker.undelete("p-1")
      yield* ann.tracker.update("p-1", { notes: "noted by ann" })
      const issues = yield* meet(ann, bob, way, loss)
      expect(alive(issues).map(({ id }) => id)).toEqual(["q-1"])
      expect(one(issues, "q-1")).toMatchObject({ title: "one", notes: "noted by ann" })
      expect(one(issues, "p-1")).toMatchObject({ status: "tombstone", renamed_to: "q-1" })
    })
  )

  it.scoped("G20, G23: an older branch checked out and back neither undoes nor revives anything", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* pair(way, ({ tracker }) =>
        Effect.all([
          tracker.create({ title: "old title", id: "p-1", labels: ["old"] }),
          tracker.create({ title: "gone", id: "p-2" })
        ])
      )
      const older = yield* bob.file
      yield* bob.tracker.update("p-1", { title: "new title", removeLabels: ["old"] })
      yield* bob.tracker.delete(["p-2"])
      yield* bob.tracker.create({ title: "since", id: "p-3" })
      yield* bob.commit
      const newest = yield* bob.file
      yield* bob.write(older)
      expect(titles((yield* bob.tracker.list({})).items.map(({ issue }) => issue as unknown as Shown))).toEqual([
        "old title",
        "since"
      ])
      if (loss === "deleted before") yield* bob.loseStore
      yield* bob.write(newest)
      yield* bob.commit
      expect(yield* bob.file).toEqual(newest)
      const issues = yield* meet(ann, bob, way, loss)
      expect(titles(issues)).toEqual(["new title", "since"])
      // without git and without a store nobody can tell that the label was taken away: sets unite then (G22)
      if (way !== "import" || loss !== "deleted before") expect(one(issues, "p-1")?.labels).toBeUndefined()
      expect(one(issues, "p-2")?.status).toBe("tombstone")
    })
  )
})

it.scoped("G22, G24: what is imported again changes nothing", () =>
  Effect.gen(function* () {
    const { ann, bob } = yield* pair("import", ({ tracker }) => tracker.create({ title: "one", id: "p-1" }))
    yield* ann.tracker.close("p-1", { reason: "done" })
    yield* ann.commit
    yield* later
    yield* bob.tracker.update("p-1", { notes: "by bob" })
    yield* bob.commit
    yield* ann.meet(bob, "import")
    const merged = yield* ann.issues
    expect(merged).toMatchObject([{ status: "closed", notes: "by bob" }])
    yield* ann.meet(bob, "import")
    expect(yield* ann.issues).toEqual(merged)
  })
)
