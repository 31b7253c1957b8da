/**
 * Clones that change the same issues and meet through git: by the merge driver, by a union of lines, by hand.
 * Whatever the way, no edit is lost, and when nothing changes any more all files and stores are equal (G22–G24).
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { type Clone, create, issuesIn, linesOf, type Place, place, type Shown, show, storeOf, until } from "./git.ts"

let scratch: Place
beforeEach(() => {
  scratch = place()
})

/** How two sides of the issue file become one. */
interface Meeting {
  readonly name: string
  readonly setUp: (clone: Clone) => Promise<void>
  /** Takes in what was fetched; counts what shows that the sides met in this way and in no other. */
  readonly meet: (clone: Clone) => Promise<number>
}

const attributes = (clone: Clone, text: string) => writeFileSync(join(clone.directory, ".gitattributes"), text)

const merges = async (clone: Clone) => Number(await clone.git("rev-list", "--merges", "--count", "HEAD"))

const doubled = (file: string) => linesOf(file).length - issuesIn(file).size

const markers = /^(<<<<<<<|=======|>>>>>>>).*\n/gm

const hasMarkers = (clone: Clone) => readFileSync(clone.file, "utf8").search(markers) >= 0

/** Both sides of a conflict are kept, as a person would who deletes the markers. */
const keepBoth = (clone: Clone) => writeFileSync(clone.file, readFileSync(clone.file, "utf8").replace(markers, ""))

/** What bd does while markers stand in the file (G17): it reads from the store, and publishes nothing. */
const refusesMarkers = async (clone: Clone) => {
  const before = readFileSync(clone.file, "utf8")
  const number = before.split("\n").findIndex(line => line.startsWith("<<<<<<<")) + 1
  const place = new RegExp(`issues\\.jsonl(:| line )${number}\\b|issues\\.jsonl.*line ${number}\\b`)
  const read = await clone.bd("list", "--json")
  expect(JSON.parse(read.stdout).length).toBeGreaterThan(0)
  expect(read.stderr).toMatch(place)
  const flush = await clone.tryBd("flush")
  expect(flush).toMatchObject({ exitCode: 8, stderr: expect.stringMatching(place) })
  const changed = await clone.tryBd("comments", "add", "x-parent", `${clone.name} met markers`)
  expect(changed).toMatchObject({ exitCode: 7, stderr: expect.stringMatching(place) })
  expect(readFileSync(clone.file, "utf8")).toBe(before)
}

const driver: Meeting = {
  name: "the merge driver",
  setUp: async clone => {
    await clone.bd("init", "--merge-driver")
  },
  meet: async clone => {
    const before = await merges(clone)
    await clone.git("merge", "--quiet", "--no-edit", "origin/main")
    expect(doubled(clone.file)).toBe(0)
    return (await merges(clone)) - before
  }
}

const union: Meeting = {
  name: "a union of lines",
  setUp: async clone => {
    attributes(clone, ".beads/issues.jsonl merge=union\n")
    await clone.bd("init")
  },
  meet: async clone => {
    await clone.git("merge", "--quiet", "--no-edit", "origin/main")
    return doubled(clone.file)
  }
}

const byHand: Meeting = {
  name: "hand, both lines kept",
  setUp: async clone => {
    await clone.bd("init")
  },
  meet: async clone => {
    const { exitCode } = await clone.tryGit("merge", "--no-edit", "origin/main")
    if (exitCode === 0) return 0
    expect(hasMarkers(clone)).toBe(true)
    await refusesMarkers(clone)
    keepBoth(clone)
    const met = doubled(clone.file)
    await clone.git("add", "--all")
    await clone.git("commit", "--quiet", "--no-edit")
    return met
  }
}

const byHandMidway: Meeting = {
  ...byHand,
  name: "hand, with bd run before the merge is committed",
  meet: async clone => {
    const { exitCode } = await clone.tryGit("merge", "--no-edit", "origin/main")
    if (exitCode === 0) return 0
    keepBoth(clone)
    const met = doubled(clone.file)
    await clone.bd("flush")
    expect(doubled(clone.file)).toBe(0)
    await clone.git("add", "--all")
    await clone.git("commit", "--quiet", "--no-edit")
    return met
  }
}

const byRebase: Meeting = {
  ...byHand,
  name: "rebase, both lines kept",
  meet: async clone => {
    let met = 0
    let ran = await clone.tryGit("rebase", "origin/main")
    while (ran.exitCode !== 0) {
      expect(hasMarkers(clone)).toBe(true)
      keepBoth(clone)
      met += doubled(clone.file)
      await clone.bd("flush")
      await clone.git("add", "--all")
      ran = await clone.tryGit("rebase", "--continue")
    }
    return met
  }
}

/** Everyone publishes, commits, takes in what the others have, and pushes, until nothing changes any more. */
const exchange = async (clones: ReadonlyArray<Clone>, { meet }: Pick<Meeting, "meet">): Promise<number> => {
  let met = 0
  for (let round = 0; round < 8; round++) {
    const heads = new Set<string>()
    for (const clone of clones) {
      await clone.bd("flush")
      if ((await clone.git("status", "--porcelain")) !== "") await clone.commit(`${clone.name} ${round}`)
      await clone.git("fetch", "--quiet")
      met += await meet(clone)
      await clone.bd("flush")
      if ((await clone.git("status", "--porcelain")) !== "") await clone.commit(`${clone.name} ${round} merged`)
      await clone.git("push", "--quiet", "origin", "HEAD:main")
    }
    for (const clone of clones) heads.add(await clone.git("rev-parse", "HEAD"))
    if (heads.size === 1) return met
  }
  throw new Error("the clones do not converge")
}

const expectEqual = (clones: ReadonlyArray<Clone>) => {
  const [first, ...others] = clones
  if (first === undefined) return
  const file = readFileSync(first.file, "utf8")
  const store = storeOf(first)
  expect(store.marks).toEqual([])
  expect((store.issues as ReadonlyArray<{ line: string }>).map(({ line }) => `${line}\n`).join("")).toBe(file)
  for (const clone of others) {
    expect(readFileSync(clone.file, "utf8")).toBe(file)
    expect(storeOf(clone)).toEqual(store)
  }
}

/** `names` clones of a bare repository in which `seed` was run. */
const clonesOf = async (names: ReadonlyArray<string>, meeting: Meeting, seed: (clone: Clone) => Promise<void>) => {
  const hub = await scratch.bare("hub.git")
  const clones: Array<Clone> = []
  for (const name of names) {
    const clone = await scratch.clone(hub, name)
    await meeting.setUp(clone)
    if (clones.length === 0) {
      await seed(clone)
      await clone.commit("seed")
      await clone.git("push", "--quiet", "origin", "main")
    }
    clones.push(clone)
  }
  return clones
}

const seed = async (a: Clone) => {
  for (const id of ["x-parent", "x-dep1", "x-dep2", "x-gone", "x-back", "x-shut"]) {
    await a.bd("create", `title of ${id}`, "--id", id, "--force")
  }
  await a.bd("create", "shared", "--id", "x-shared", "--force", "-l", "kept,old", "-d", "as it was", "--deps", "x-dep1")
  await a.bd("comments", "add", "x-shared", "the first comment")
  await a.bd("delete", "x-back", "--force")
  // a field of another tool
  const lines = linesOf(a.file).map(line =>
    line.includes('"id":"x-shared"') ? line.replace(/\}$/, ',"custom":{"n":1.0,"__proto__":[1e2]}}') : line
  )
  writeFileSync(a.file, `${lines.join("\n")}\n`)
  await a.bd("flush")
}

const labels = (issue: Shown | undefined) => [...(issue?.labels ?? [])].sort()
const comments = (issue: Shown | undefined) => (issue?.comments ?? []).map(({ text }) => text).sort()
const targets = (issue: Shown | undefined) => (issue?.dependencies ?? []).map(link => link.depends_on_id).sort()

const edit = async (a: Clone, b: Clone) => {
  await a.bd("update", "x-shared", "--title", "title by a", "--add-label", "from-a", "--remove-label", "old")
  await a.bd("comments", "add", "x-shared", "a says")
  await a.bd("dep", "add", "x-shared", "x-dep2")
  await a.bd("delete", "x-gone", "--force")
  await a.bd("undelete", "x-back")
  await a.bd("close", "x-shut", "--reason", "done by a")
  await a.bd("create", "new in a", "--id", "x-new-a", "--force")

  await b.bd("update", "x-shared", "-d", "description by b", "--priority", "0", "--add-label", "from-b")
  await b.bd("comments", "add", "x-shared", "b says")
  await b.bd("dep", "remove", "x-shared", "x-dep1")
  await b.bd("update", "x-shared", "--assignee", "bee")
  await b.bd("update", "x-gone", "--notes", "noted by b")
  await b.bd("update", "x-shut", "--title", "title by b")
  await b.bd("create", "new in b", "--id", "x-new-b", "--force")
}

const expectEdits = async (clone: Clone) => {
  const issues = issuesIn(clone.file)
  const shared = issues.get("x-shared")
  expect(shared).toMatchObject({
    title: "title by a",
    description: "description by b",
    priority: 0,
    assignee: "bee",
    status: "open"
  })
  expect(linesOf(clone.file).find(line => line.includes('"id":"x-shared"'))).toContain(
    '"custom":{"n":1.0,"__proto__":[1e2]}'
  )
  expect(labels(shared)).toEqual(["from-a", "from-b", "kept"])
  expect(comments(shared)).toEqual(["a says", "b says", "the first comment"])
  expect(targets(shared)).toEqual(["x-dep2"])
  expect(issues.get("x-gone")).toMatchObject({ status: "tombstone", notes: "noted by b", deleted_by: "a" })
  expect(issues.get("x-back")).toMatchObject({ status: "open", undeleted_at: expect.any(String) })
  expect(issues.get("x-shut")).toMatchObject({ status: "closed", close_reason: "done by a", title: "title by b" })
  expect([...issues.keys()].sort()).toEqual([...issues.keys()])
  expect(issues.get("x-new-a")).toMatchObject({ title: "new in a" })
  expect(issues.get("x-new-b")).toMatchObject({ title: "new in b" })
  expect((await clone.tryBd("show", "x-gone")).exitCode).toBe(3)
  expect(await show(clone, "x-back")).toMatchObject({ status: "open" })
}

describe.each([driver, union, byHand, byHandMidway, byRebase])("by $name", meeting => {
  it("G22, G23, G24: two clones edit the same issues; no edit is lost, and both are equal", async () => {
    const [a, b] = (await clonesOf(["a", "b"], meeting, seed)) as [Clone, Clone]
    await edit(a, b)
    expect(await exchange([a, b], meeting)).toBeGreaterThan(0)
    expectEqual([a, b])
    await expectEdits(a)
    await expectEdits(b)
  })

  it("G22, G23, G24: three clones, and commits on each side before they meet", async () => {
    const [a, b, c] = (await clonesOf(["a", "b", "c"], meeting, seed)) as [Clone, Clone, Clone]
    await edit(a, b)
    await a.commit("edited")
    await a.bd("update", "x-dep1", "--title", "dep1 by a", "--add-label", "a")
    await b.bd("update", "x-dep1", "--notes", "dep1 by b", "--add-label", "b")
    await b.commit("edited")
    await c.bd("update", "x-shared", "--acceptance", "accepted by c", "--add-label", "from-c")
    await c.commit("edited")
    await c.bd("update", "x-dep1", "--priority", "1", "--add-label", "c")
    await c.bd("comments", "add", "x-dep1", "c says")
    expect(await exchange([a, b, c], meeting)).toBeGreaterThan(1)
    expectEqual([a, b, c])
    for (const clone of [a, b, c]) {
      const issues = issuesIn(clone.file)
      const shared = issues.get("x-shared")
      expect(shared).toMatchObject({
        title: "title by a",
        description: "description by b",
        acceptance_criteria: "accepted by c",
        assignee: "bee"
      })
      expect(labels(shared)).toEqual(["from-a", "from-b", "from-c", "kept"])
      expect(comments(shared)).toEqual(["a says", "b says", "the first comment"])
      expect(targets(shared)).toEqual(["x-dep2"])
      const dep1 = issues.get("x-dep1")
      expect(dep1).toMatchObject({ title: "dep1 by a", notes: "dep1 by b", priority: 1 })
      expect(labels(dep1)).toEqual(["a", "b", "c"])
      expect(comments(dep1)).toEqual(["c says"])
      expect(issues.get("x-gone")).toMatchObject({ status: "tombstone" })
      expect(issues.get("x-back")).toMatchObject({ status: "open" })
    }
  })

  it("G24: two clones that add the same child have two issues, and are told", async () => {
    const [a, b] = (await clonesOf(["a", "b"], meeting, seed)) as [Clone, Clone]
    const told: Array<string> = []
    const listening = (clone: Clone): Clone => ({
      ...clone,
      bd: async (...words) => {
        const ran = await clone.bd(...words)
        told.push(ran.stderr)
        return ran
      },
      git: async (...words) => {
        const ran = await clone.tryGit(...words)
        told.push(ran.stderr)
        if (ran.exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${ran.stderr}`)
        return ran.stdout
      }
    })
    expect(await create(a, "child by a", "--parent", "x-parent")).toBe("x-parent.1")
    await a.bd("create", "needs the child of a", "--id", "x-needs-a", "--force", "--deps", "x-parent.1")
    // created apart are issues whose `created_at` lie a second or more apart (G22)
    const second = Math.floor(Date.parse(issuesIn(a.file).get("x-parent.1")?.["created_at"] as string) / 1000) + 2
    await until(() => Date.now() / 1000 > second)
    expect(await create(b, "child by b", "--parent", "x-parent")).toBe("x-parent.1")
    await b.bd("create", "needs the child of b", "--id", "x-needs-b", "--force", "--deps", "x-parent.1")
    await exchange([listening(a), listening(b)], meeting)
    expectEqual([a, b])
    const issues = [...issuesIn(a.file).values()]
    const children = issues.filter(({ title }) => title.startsWith("child by"))
    expect(children.map(({ title }) => title).sort()).toEqual(["child by a", "child by b"])
    expect(issuesIn(a.file).get("x-parent.1")).toMatchObject({ title: "child by a" })
    const later = children.find(({ title }) => title === "child by b")?.id ?? ""
    expect(later).not.toBe("x-parent.1")
    for (const child of children) expect(targets(child)).toEqual(["x-parent"])
    expect(told.join("")).toContain(later)
    expect(told.join("")).toContain("x-parent.1")
    // references: the first issue's stay; the later one's follow, or are listed
    expect(targets(issuesIn(a.file).get("x-needs-a"))).toEqual(["x-parent.1"])
    const [needed] = targets(issuesIn(a.file).get("x-needs-b"))
    if (needed !== later) {
      expect(needed).toBe("x-parent.1")
      expect(told.join("")).toMatch(/x-needs-b|References to x-parent\.1/)
    }
  })
})

describe("deletions", () => {
  it("G23: no checkout, merge or reset of an older line brings a deleted issue back, in any clone", async () => {
    const [a, b] = (await clonesOf(["a", "b"], driver, seed)) as [Clone, Clone]
    await a.git("branch", "older")
    await a.bd("delete", "x-gone", "--force")
    await a.commit("deleted")
    await b.bd("update", "x-gone", "--title", "edited much later", "--status", "in_progress")
    await b.commit("edited")
    const dead = async (clone: Clone) => {
      expect((await clone.tryBd("show", "x-gone")).exitCode).toBe(3)
      const listed = JSON.parse((await clone.bd("list", "--json")).stdout) as ReadonlyArray<Shown>
      expect(listed.map(({ id }) => id)).not.toContain("x-gone")
      expect(listed.map(({ id }) => id)).toContain("x-shared")
    }
    // an older branch holds the living line
    await a.git("checkout", "--quiet", "older")
    expect(issuesIn(a.file).get("x-gone")).toMatchObject({ status: "open" })
    await dead(a)
    await a.bd("update", "x-dep1", "--notes", "on the older branch")
    expect(issuesIn(a.file).get("x-gone")).toMatchObject({ status: "tombstone" })
    await a.commit("older goes on")
    await a.git("checkout", "--quiet", "main")
    await dead(a)
    await a.git("reset", "--quiet", "--hard", "HEAD~1")
    expect(issuesIn(a.file).get("x-gone")).toMatchObject({ status: "open" })
    await dead(a)
    await a.bd("flush")
    await a.commit("deleted again")
    await a.git("merge", "--quiet", "--no-edit", "older")
    await dead(a)
    await exchange([a, b], driver)
    expectEqual([a, b])
    await dead(a)
    await dead(b)
    expect(issuesIn(b.file).get("x-gone")).toMatchObject({ status: "tombstone", title: "edited much later" })
    // undelete brings it back for good, until it is deleted again
    await b.bd("undelete", "x-gone")
    await exchange([a, b], driver)
    expect(await show(a, "x-gone")).toMatchObject({ title: "edited much later" })
    await a.git("checkout", "--quiet", "older")
    expect(issuesIn(a.file).get("x-gone")).toMatchObject({ status: "tombstone" })
    // alive, and for the rest as this branch has it
    expect(await show(a, "x-gone")).toMatchObject({ title: "title of x-gone", status: "open" })
    await a.git("checkout", "--quiet", "--force", "main")
    await a.bd("delete", "x-gone", "--force")
    await exchange([a, b], driver)
    await dead(a)
    await dead(b)
    expectEqual([a, b])
  })

  it("G24: clones that exchange by export and import end with equal issues", async () => {
    const [a, b] = (await clonesOf(["a", "b"], union, seed)) as [Clone, Clone]
    await edit(a, b)
    for (let round = 0; round < 3; round++) {
      for (const [from, to] of [
        [a, b],
        [b, a]
      ] as const) {
        const file = join(scratch.root, "exchanged.txt")
        await from.bd("export", "-o", file, "--force")
        await to.bd("import", "-i", file)
      }
    }
    expectEqual([a, b])
    await expectEdits(a)
    await expectEdits(b)
  })
})
