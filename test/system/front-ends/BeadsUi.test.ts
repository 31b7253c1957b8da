/** beads-ui, the web front end, on this `bd`: everything its WebSocket offers, and what is in store and file after it. */
import Database from "better-sqlite3"
import { describe, expect, it, onTestFinished } from "vitest"
import { calls } from "../../golden/front-ends.ts"
import { bd, lines, ok, type Repository } from "../bd.ts"
import { fingerprint } from "../git.ts"
import { author, beadsUi, connect, lineOf, sentInAll, shownTo, type UiIssue } from "./beadsUi.ts"

const ids = (list: ReadonlyArray<UiIssue>) => list.map(({ id }) => id).sort()
const titles = (list: ReadonlyArray<UiIssue>) => list.map(({ title }) => title).sort()

/** In another shell. */
const create = async (made: Repository, ...words: ReadonlyArray<string>): Promise<string> =>
  (JSON.parse(ok(await bd(made, "create", ...words, "--json")).stdout) as UiIssue).id

/**
 * beads-ui with one issue and whatever others; its list and the detail of the one are open.
 *
 * Only of the first change is it sure that it is pushed: beads-ui drops what comes while it reads for an earlier one, and
 * what it sees of others in the second after. So later ones are looked at by subscribing again.
 */
const withOneIssue = async (...others: ReadonlyArray<string>) => {
  const ui = await beadsUi(["The first", ...others])
  const client = await connect(ui)
  const issue = (await client.subscribe("all-issues")).find(({ title }) => title === "The first")
  if (issue === undefined) throw new Error("the issue is not in the list")
  await client.detail(issue.id)
  return { client, id: issue.id, made: ui.repository }
}

describe("beads-ui on this bd", () => {
  it("each of its lists holds what belongs there, and reading them touches nothing", async () => {
    const ui = await beadsUi()
    const made = ui.repository
    const epic = await create(made, "An epic", "-t", "epic")
    const child = await create(made, "A child", "--parent", epic)
    const waits = await create(made, "It waits", "--deps", child)
    const begun = await create(made, "Begun")
    const done = await create(made, "Done")
    const gone = await create(made, "Gone")
    ok(await bd(made, "update", begun, "--status", "in_progress"))
    ok(await bd(made, "close", done, "--reason", "Enough"))
    ok(await bd(made, "delete", gone, "--force"))
    const before = [fingerprint(made.store), fingerprint(made.issueFile)]

    const client = await connect(ui)
    expect(ids(await client.subscribe("all-issues"))).toEqual([epic, child, waits, begun, done].sort())
    expect(ids(await client.subscribe("ready-issues"))).toEqual([epic, child].sort())
    expect(ids(await client.subscribe("in-progress-issues"))).toEqual([begun])
    expect(ids(await client.subscribe("blocked-issues"))).toEqual([waits])
    const closed = await client.subscribe("closed-issues")
    expect(ids(closed)).toEqual([done])
    expect(closed[0]?.["closed_at"]).toBeTypeOf("number")
    expect(await client.subscribe("epics")).toMatchObject([{ id: epic, total_children: 1, closed_children: 0 }])
    expect(await client.detail(epic)).toMatchObject({
      title: "An epic",
      dependents: [{ id: child, title: "A child", issue_type: "task", dependency_type: "parent-child" }]
    })
    expect(await client.detail(waits)).toMatchObject({ dependencies: [{ id: child, dependency_type: "blocks" }] })
    // who watches the store's file would read for ever if reading changed it
    expect([fingerprint(made.store), fingerprint(made.issueFile)]).toEqual(before)
  })

  it.each(["nobody", "a reader"])(
    "what another shell does is pushed by itself, while %s has the store open",
    async who => {
      const { client, made } = await withOneIssue()
      if (who === "a reader") {
        // keeps what is new in the log, beside the file that is watched
        const reader = new Database(made.store, { readonly: true })
        onTestFinished(() => {
          reader.close()
        })
        reader.exec("begin; select count(*) from issues")
      }
      const id = await create(made, "From another shell")
      await client.until(() => client.list("all-issues").some(issue => issue.id === id))
      expect(titles(client.list("all-issues"))).toEqual(["From another shell", "The first"])
    }
  )

  it("G11: creates issues of each type and priority: pushed, in the store, in the issue file", async () => {
    const { client, made } = await withOneIssue()
    const wanted = ["bug", "feature", "task", "epic", "chore"].map((type, priority) => ({
      title: `A ${type}`,
      type,
      priority,
      description: `What\n--a ${type} is, "quoted" & <b>bold</b> 🐛`
    }))
    for (const payload of wanted) {
      expect(await client.ask("create-issue", payload)).toEqual({ created: true })
      expect(lines(made).some(line => (JSON.parse(line) as UiIssue).title === payload.title)).toBe(true)
      if (payload.type === "bug") await client.until(() => titles(client.list("all-issues")).includes("A bug"))
    }
    const list = await client.subscribe("all-issues")
    for (const { type, ...fields } of wanted) {
      const expected = { ...fields, issue_type: type }
      const issue = list.find(({ title }) => title === fields.title)
      expect(issue).toMatchObject(expected)
      expect(lineOf(made, issue?.id ?? "")).toMatchObject(expected)
      expect(await shownTo(made, issue?.id ?? "")).toMatchObject(expected)
    }
  })

  it("G11: edits every field: answered, pushed, in the store, in the issue file", async () => {
    const { client, id, made } = await withOneIssue()
    const all: Record<string, unknown> = {}
    const edit = async (type: string, payload: object, key: string, value: unknown) => {
      // it hands on what bd show answers
      expect(await client.ask(type, { id, ...payload })).toMatchObject([{ [key]: value }])
      expect(lineOf(made, id)).toMatchObject({ [key]: value })
      all[key] = value
    }
    const text = (field: string, value: string, key = field) => edit("edit-text", { field, value }, key, value)
    await text("title", "Renamed 'so' — \"well\"")
    await client.until(() => client.shown(id)?.title === all["title"])
    await client.until(() => client.list("all-issues")[0]?.title === all["title"])
    await text("description", "--begins like a flag\n\n- and goes on")
    await text("design", "-x")
    await text("acceptance", "When it is\nso", "acceptance_criteria")
    await text("notes", "Some `code` and <script>alert(1)</script>")
    await edit("update-priority", { priority: 0 }, "priority", 0)
    await edit("update-assignee", { assignee: "bob" }, "assignee", "bob")
    for (const status of ["in_progress", "closed", "open"]) await edit("update-status", { status }, "status", status)
    expect(await shownTo(made, id)).toMatchObject(all)
    expect(await client.detail(id)).toMatchObject(all)

    // emptied fields are gone, and so is what closing it has left
    await client.ask("update-assignee", { id, assignee: "" })
    await client.ask("edit-text", { id, field: "notes", value: "" })
    for (const issue of [lineOf(made, id), await shownTo(made, id)]) {
      expect(issue).not.toHaveProperty("assignee")
      expect(issue).not.toHaveProperty("closed_at")
      expect(issue["notes"] ?? "").toBe("")
    }
  })

  it("labels an issue and comments on it, in the name that git knows", async () => {
    const { client, id, made } = await withOneIssue()
    expect(await client.ask("label-add", { id, label: "ui" })).toMatchObject([{ labels: ["ui"] }])
    await client.until(() => client.shown(id)?.labels?.length === 1)
    expect(await client.ask("label-add", { id, label: " two words " })).toMatchObject([{ labels: ["two words", "ui"] }])
    expect(lineOf(made, id).labels).toEqual(["two words", "ui"])
    await client.ask("label-remove", { id, label: "ui" })
    expect(lineOf(made, id).labels).toEqual(["two words"])

    expect(await client.ask("get-comments", { id })).toEqual([])
    const said = ["Found it", "- a list\n- of things", "<img src=x onerror=alert(1)>"]
    for (const text of said) await client.ask("add-comment", { id, text })
    const comments = said.map(text => ({ issue_id: id, author, text }))
    expect(await client.ask("get-comments", { id })).toMatchObject(comments)
    expect(lineOf(made, id)["comments"]).toMatchObject(comments)
    expect(await shownTo(made, id)).toMatchObject({ labels: ["two words"], comments })
  })

  it("links issues, and unlinks them: what waits moves from ready to blocked, and back", async () => {
    const { client, id, made } = await withOneIssue("The other")
    const [other] = ids(client.list("all-issues")).filter(one => one !== id)
    await client.subscribe("ready-issues")
    await client.subscribe("blocked-issues")
    expect(await client.ask("dep-add", { a: id, b: other, view_id: id })).toMatchObject([
      { id, dependencies: [{ id: other, title: "The other", dependency_type: "blocks" }] }
    ])
    expect(lineOf(made, id).dependencies).toMatchObject([{ issue_id: id, depends_on_id: other, type: "blocks" }])
    expect((await shownTo(made, id)).dependencies).toMatchObject([{ id: other }])
    await client.until(() => ids(client.list("blocked-issues")).includes(id))
    await client.until(() => !ids(client.list("ready-issues")).includes(id))

    // taken away from the other end
    expect(await client.ask("dep-remove", { a: id, b: other, view_id: other })).toMatchObject([{ id: other }])
    expect(lineOf(made, id)).not.toHaveProperty("dependencies")
    expect(await client.subscribe("blocked-issues")).toEqual([])
    expect(ids(await client.subscribe("ready-issues"))).toContain(id)
  })

  it("G23: deletes an issue: it leaves the lists, and a tombstone stays in the file", async () => {
    const { client, id, made } = await withOneIssue("The other")
    expect(await client.ask("delete-issue", { id })).toEqual({ deleted: true, id })
    expect(lineOf(made, id)).toMatchObject({ status: "tombstone", title: "The first" })
    await client.until(() => client.list("all-issues").length === 1)
    expect(titles(client.list("all-issues"))).toEqual(["The other"])
  })

  it("what is refused is said in words, and nothing is changed", async () => {
    const { client, id, made } = await withOneIssue()
    const before = fingerprint(made.issueFile)
    const refused = async (type: string, payload: object, message: RegExp) => {
      const error = await client.ask(type, payload).then(
        () => new Error("not refused"),
        (reason: unknown) => reason as Error
      )
      expect(error.message).toMatch(message)
      expect(error.message).not.toMatch(/^\s+at |\bundefined\b|file:\/\//m)
    }
    await refused("update-status", { id: "t-none", status: "open" }, /t-none/)
    await refused("edit-text", { id, field: "title", value: "" }, /title/)
    await refused("edit-text", { id, field: "title", value: "x".repeat(501) }, /500/)
    await refused("create-issue", { title: "--frobnicate" }, /--frobnicate/)
    await refused("dep-add", { a: id, b: id }, /itself|cycle/)
    await refused("subscribe-list", { id: "x", type: "issue-detail", params: { id: "t-none" } }, /t-none/)
    expect(fingerprint(made.issueFile)).toEqual(before)
  })

  // of all tests above: it fails alone
  it("has sent all that the fixture of front ends says of it, and nothing else", () => {
    const recorded = calls.filter(({ who }) => who === "U").map(({ words }) => form(words))
    expect([...new Set(sentInAll.map(form))].sort()).toEqual([...new Set([...recorded, form(frobnicate)])].sort())
  })
})

const frobnicate = ["--sandbox", "create", "--frobnicate"]

/** A call without what differs from one to the next: `--sandbox update … --title …`. */
const form = (words: ReadonlyArray<string>): string => {
  const [sandbox, first = "", second = "", ...rest] = words
  const path = ["epic", "dep", "label"].includes(first) ? [first, second] : [first]
  let value = false
  const masked = (path.length === 1 ? [second, ...rest] : rest).map(word => {
    const isValue = value || !word.startsWith("-") || word.startsWith("- ")
    value = !isValue && !["--json", "--tree=false", "--force"].includes(word)
    return isValue ? "…" : word
  })
  return [sandbox, ...path, ...masked].join(" ")
}
