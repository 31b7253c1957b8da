/**
 * Both lines of an issue in one file, by git's union merge, on ways other than a plain merge: several merges before bd
 * looks, a rebase, a stash that comes back, a merge long before. The line they descend from decides what is an edit
 * (G22): a field that one side left alone never wins over the other side's change.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { type Clone, issuesIn, linesOf, type Place, place } from "./git.ts"

let a: Clone
let b: Clone
let scratch: Place

const publish = async (clone: Clone) => {
  await clone.bd("flush")
  await clone.commit(`by ${clone.name}`)
}

const push = (clone: Clone) => clone.git("push", "--quiet", "origin", "HEAD:main")

/** x-one has two lines in the file now. */
const expectDoubled = (clone: Clone, lines = 2) => expect(linesOf(clone.file)).toHaveLength(lines)

const one = async (clone: Clone) => {
  await clone.bd("flush")
  expectDoubled(clone, 1)
  return issuesIn(clone.file).get("x-one")
}

beforeEach(async () => {
  scratch = place()
  const hub = await scratch.bare("hub.git")
  a = await scratch.clone(hub, "a")
  await a.bd("init", "--prefix", "x")
  writeFileSync(join(a.directory, ".gitattributes"), ".beads/issues.jsonl merge=union\n")
  await a.bd("create", "first title", "--id", "x-one", "-l", "kept,old", "-d", "first description")
  await a.commit("seed")
  await push(a)
  b = await scratch.clone(hub, "b")
  await b.bd("list")
  // a merge long ago, in the history of both
  await a.bd("update", "x-one", "--notes", "notes by a")
  await a.commit("a")
  await push(a)
  await b.bd("update", "x-one", "--design", "design by b")
  await b.commit("b")
  await b.git("pull", "--quiet", "--no-rebase", "--no-edit")
  expectDoubled(b)
  await publish(b)
  await push(b)
  await a.git("pull", "--quiet", "--ff-only")
  await a.bd("update", "x-one", "--title", "second title", "-d", "second description", "--add-label", "second")
  await a.commit("since then")
  await push(a)
  await b.git("pull", "--quiet", "--ff-only")
  await b.bd("list")
})

/** Each side's edit, the later of `b`: so what `b` left alone would win by its time, were it taken for an edit. */
const diverge = async () => {
  await a.bd("update", "x-one", "--title", "third title", "--remove-label", "old", "--add-label", "by-a")
  await a.commit("third title")
  await push(a)
  await b.bd("update", "x-one", "--priority", "0", "--add-label", "by-b")
}

const both = {
  title: "third title",
  description: "second description",
  notes: "notes by a",
  design: "design by b",
  priority: 0,
  labels: ["by-a", "by-b", "kept", "second"]
}

describe("two lines", () => {
  it("G22: of a merge, bd run afterwards", async () => {
    await diverge()
    await b.commit("priority")
    await b.git("pull", "--quiet", "--no-rebase", "--no-edit")
    expectDoubled(b)
    expect(await one(b)).toMatchObject(both)
  })

  it("G22: of a rebase that went through by itself", async () => {
    await diverge()
    await b.commit("priority")
    await b.git("pull", "--quiet", "--rebase")
    expectDoubled(b)
    expect(await one(b)).toMatchObject(both)
  })

  it("G22: of a rebase, in a clone that has no store", async () => {
    await diverge()
    await b.commit("priority")
    await b.git("pull", "--quiet", "--rebase")
    await push(b)
    expectDoubled(b)
    const fresh = await scratch.clone(b.directory, "fresh")
    await fresh.bd("list")
    // nobody can know the ancestor there: whatever comes out, no element of a set and no issue may be gone
    expect((await one(fresh))?.labels).toEqual(expect.arrayContaining(["by-a", "by-b", "kept", "second"]))
  })

  it("G22: of a stash that comes back over what was pulled", async () => {
    await diverge()
    await b.git("stash", "--quiet")
    await b.git("pull", "--quiet", "--ff-only")
    await b.git("stash", "pop", "--quiet")
    expectDoubled(b)
    expect(await one(b)).toMatchObject(both)
  })

  it("G22: of a stash, with bd run before it comes back", async () => {
    await diverge()
    await b.git("stash", "--quiet")
    await b.git("pull", "--quiet", "--ff-only")
    await b.bd("list")
    await b.git("stash", "pop", "--quiet")
    expectDoubled(b)
    expect(await one(b)).toMatchObject(both)
  })

  it("G22: of a cherry-pick", async () => {
    await diverge()
    await b.commit("priority")
    await a.git("fetch", "--quiet", b.directory, "main")
    await a.git("cherry-pick", "FETCH_HEAD")
    expectDoubled(a)
    expect(await one(a)).toMatchObject(both)
  })

  it("G22: of two merges, bd run after the second only", async () => {
    const c = await scratch.clone(a.directory, "c")
    await c.bd("list")
    await diverge()
    await b.commit("priority")
    await c.bd("update", "x-one", "--assignee", "cee", "--add-label", "by-c")
    await c.commit("assignee")
    await b.git("pull", "--quiet", "--no-rebase", "--no-edit")
    await b.git("pull", "--quiet", "--no-rebase", "--no-edit", c.directory, "main")
    expectDoubled(b, 3)
    expect(await one(b)).toMatchObject({ ...both, assignee: "cee", labels: ["by-a", "by-b", "by-c", "kept", "second"] })
  })
})
