/** Real issue files through the whole program: loaded, changed by one line, published again, cloned. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { realFiles } from "../realFiles.ts"
import { type Clone, fingerprint, linesOf, type Place, place, type Shown, storeOf } from "./git.ts"

let scratch: Place
beforeEach(() => {
  scratch = place()
})

const allShown = async (clone: Clone, ids: ReadonlyArray<string>) => {
  const { stdout } = await clone.bd("show", ...ids, "--json", "--include-comments", "--include-dependents")
  return JSON.parse(stdout) as ReadonlyArray<Shown>
}

describe.each(realFiles)("%s", (_, original) => {
  const prepared = async () => {
    const first = await scratch.repository("first")
    mkdirSync(join(first.directory, ".beads"))
    writeFileSync(first.file, original)
    await first.commit("as it came")
    await first.bd("init")
    return first
  }

  it("G18, G21: every line is loaded as it is, and the file is left alone", async () => {
    const first = await prepared()
    expect(readFileSync(first.file).equals(original)).toBe(true)
    const lines = linesOf(first.file)
    const { issues, marks } = storeOf(first) as {
      issues: ReadonlyArray<{ line: string }>
      marks: ReadonlyArray<unknown>
    }
    expect(issues.map(({ line }) => line).sort()).toEqual([...lines].sort())
    expect(lines.length).toBeGreaterThan(60)
    expect(marks).toEqual([])
    const before = fingerprint(first.file)
    await first.bd("flush", "--full")
    await first.bd("flush")
    await first.bd("list", "--json")
    expect(fingerprint(first.file)).toEqual(before)
    // init adds files of its own and changes none
    expect(await first.git("status", "--porcelain")).not.toMatch(/^ ?[MD]/m)
  })

  it("G15: a change of one issue changes one line, and publishing again writes nothing", async () => {
    const first = await prepared()
    const living = linesOf(first.file)
      .map(line => JSON.parse(line) as Shown)
      .filter(({ status }) => status !== "tombstone")
    const changed = [living[0], living[Math.floor(living.length / 2)], living.at(-1)].map(issue => issue?.id ?? "")
    const edits = [
      ["--title", "changed"],
      ["--notes", "a note"],
      ["--priority", "4", "--add-label", "moved"]
    ]
    for (const [i, id] of changed.entries()) {
      await first.commit("before")
      await first.bd("update", id, ...(edits[i] ?? []))
      expect(await first.git("diff", "--numstat")).toBe("1\t1\t.beads/issues.jsonl\n")
      const before = fingerprint(first.file)
      await first.bd("flush", "--full")
      await first.bd("update", id, ...(edits[i] ?? []))
      expect(fingerprint(first.file)).toEqual(before)
      const diff = await first.git("diff", "--unified=0")
      expect(JSON.parse(/^\+(\{.*)$/m.exec(diff)?.[1] ?? "null")).toMatchObject({ id })
    }
  })

  it("G18: a fresh clone's store equals the first, comments and unknown fields included", async () => {
    const first = await prepared()
    const living = linesOf(first.file)
      .map(line => JSON.parse(line) as Shown)
      .filter(({ status }) => status !== "tombstone")
      .map(({ id }) => id)
    await first.bd("comments", "add", living[1] ?? "", "said in the first")
    await first.bd("update", living[2] ?? "", "--notes", "noted in the first")
    await first.bd("delete", living[3] ?? "", "--force")
    const deleted = living.splice(3, 1)
    await first.commit("changed")
    const second = await scratch.clone(first.directory, "second")
    await second.bd("init")
    expect(readFileSync(second.file, "utf8")).toBe(readFileSync(first.file, "utf8"))
    const exported = (await first.bd("export")).stdout
    expect((await second.bd("export")).stdout).toBe(exported)
    expect(exported.split("\n").length).toBeGreaterThan(living.length)
    expect(storeOf(second)).toEqual(storeOf(first))
    const shown = await allShown(first, living)
    expect(shown.map(({ id }) => id)).toEqual(living)
    expect(await allShown(second, living)).toEqual(shown)
    expect((await second.tryBd("show", ...deleted)).exitCode).toBe(3)
    // every field that a line has is shown, whatever it is
    const byId = new Map(linesOf(second.file).map(line => [(JSON.parse(line) as Shown).id, JSON.parse(line) as Shown]))
    for (const issue of shown) {
      const { dependencies, content_hash: _hash, source_repo: _repo, ...fields } = byId.get(issue.id) as Shown
      expect(issue).toMatchObject(fields)
      expect((issue.dependencies ?? []).length).toBeLessThanOrEqual(
        (dependencies as ReadonlyArray<unknown>)?.length ?? 0
      )
    }
  })
})
