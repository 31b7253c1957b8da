/** `bd graph`: what the page holds, where things lie on it, and what it does not let through. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Graph from "../../src/cli/graph/Graph.ts"
import * as Layout from "../../src/cli/graph/Layout.ts"
import * as Page from "../../src/cli/graph/Page.ts"
import type { Issue } from "../../src/domain/Issue.ts"
import { project } from "./harness.ts"

type Link = readonly [from: string, to: string, type?: string]

const issue = (id: string, links: ReadonlyArray<Link>, more: Partial<Issue> = {}): Issue => ({
  id,
  title: `Issue ${id}`,
  description: "",
  status: "open",
  priority: 2,
  issue_type: "task",
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  labels: [],
  comments: [],
  extra: {},
  dependencies: links
    .filter(([, to]) => to === id)
    .map(([from, , type = "blocks"]) => ({
      issue_id: id,
      depends_on_id: from,
      type,
      created_at: "2026-01-01T00:00:00Z",
      created_by: "ann"
    })),
  ...more
})

const all = { roots: [], closed: true }

const graphOf = (ids: ReadonlyArray<string>, links: ReadonlyArray<Link>): Graph.Graph =>
  Graph.make(
    ids.map(id => issue(id, links)),
    new Map(),
    all
  )

const names = (count: number) => Array.from({ length: count }, (_, i) => `app-${i}`)

const about = { at: "2026-01-31 12:00 UTC", name: "shop" }

const count = (text: string, part: string | RegExp) => text.split(part).length - 1

/** The embedded document, as a browser reads it. */
const dataOf = (page: string) =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "null")

/** Pairs of cards of which one covers a part of the other. */
const overlapping = (layout: Layout.Layout) => {
  const cards = [...layout.cards]
  return cards.flatMap(([a, one], i) =>
    cards
      .slice(i + 1)
      .filter(
        ([, other]) => Math.abs(one.x - other.x) < Layout.card.width && Math.abs(one.y - other.y) < Layout.card.height
      )
      .map(([b]) => [a, b])
  )
}

/** 300 issues as a project has them: epics with children that wait for one another, some links across, some alone. */
const likeAProject = () => {
  const ids = names(300)
  const at = (i: number) => ids[i] ?? ""
  const links: Array<Link> = []
  for (const [i, id] of ids.entries()) {
    const epic = i - (i % 25)
    if (i !== epic && i % 3 !== 0) links.push([at(epic), id, "parent-child"])
    if (i - epic > 3 && i % 2 === 0) links.push([at(epic + 1 + ((i * 7) % (i - epic - 1))), id, "blocks"])
    if (i > 50 && i % 29 === 0) links.push([at((i * 13) % i), id, i % 2 === 0 ? "related" : "discovered-from"])
  }
  return { ids, links }
}

describe("the layout", () => {
  it("shows each of 300 issues and each link, no card over another, in the shape of a screen", () => {
    const { ids, links } = likeAProject()
    const graph = graphOf(ids, links)
    const layout = Layout.make(graph)
    expect([...layout.cards.keys()].sort()).toEqual([...ids].sort())
    expect(graph.edges).toHaveLength(links.length)
    expect(layout.lines.filter(points => points.length >= 2)).toHaveLength(links.length)
    expect(overlapping(layout)).toEqual([])
    for (const { x, y } of layout.cards.values()) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
      expect(x + Layout.card.width).toBeLessThanOrEqual(layout.width)
      expect(y + Layout.card.height).toBeLessThanOrEqual(layout.height)
    }
    expect(layout.width / layout.height).toBeGreaterThan(0.7)
    expect(layout.width / layout.height).toBeLessThan(3)
  })

  it("sets what blocks to the left of what waits for it", () => {
    const { ids, links } = likeAProject()
    const layout = Layout.make(graphOf(ids, links))
    const blocking = links.filter(([, , type]) => type === "blocks")
    const x = (id: string) => layout.cards.get(id)?.x ?? Number.NaN
    expect(blocking.length).toBeGreaterThan(50)
    expect(blocking.filter(([from, to]) => !(x(from) + Layout.card.width <= x(to)))).toEqual([])
  })

  it("packs issues that nothing links into rows", () => {
    const layout = Layout.make(graphOf(names(200), []))
    expect(overlapping(layout)).toEqual([])
    expect(layout.width / layout.height).toBeGreaterThan(0.8)
    expect(layout.width / layout.height).toBeLessThan(3)
  })

  it.each([
    [
      "a chain of 1,000",
      names(1000)
        .map((id, i): Link => [`app-${i - 1}`, id])
        .slice(1)
    ],
    ["a cycle of 500", names(500).map((id, i): Link => [`app-${(i + 499) % 500}`, id])],
    [
      "1,000 that wait for one",
      names(1000)
        .slice(1)
        .map((id): Link => ["app-0", id])
    ],
    ["everyone waiting for everyone before", names(120).flatMap((a, i) => names(i).map((b): Link => [b, a]))],
    [
      "a chain of 1,500 where all wait for the first too",
      [
        ...names(1500)
          .slice(1)
          .map((id, i): Link => [`app-${i}`, id]),
        ...names(1500)
          .slice(1)
          .map((id): Link => ["app-0", id, "related"])
      ]
    ],
    [
      "two that wait for each other, and one for itself",
      [
        ["app-0", "app-1"],
        ["app-1", "app-0"],
        ["app-2", "app-2"]
      ] as const
    ]
  ])("lays out %s", (_, links) => {
    const ids = [...new Set(links.flatMap(([from, to]) => [to, from]))]
    const graph = graphOf(ids, links)
    const page = Page.make(graph, about)
    expect(graph.edges).toHaveLength(links.length)
    expect(count(page, /<path class="edge[^"]*" d="M[^"]+"[^>]*><title>/)).toBe(links.length)
    expect(overlapping(Layout.make(graph))).toEqual([])
  })
})

describe("the page", () => {
  const hostile = [
    `</script><script>document.title = "bad"</script>`,
    `"><img src=x onerror=alert(1)>`,
    `<!--<script>`,
    `' onload='x`,
    "red \u001b[31m and \u202eback",
    "]]>&lt;"
  ]
  const links: ReadonlyArray<Link> = [["x-0", "x-1"]]
  const issues = hostile.map((text, i) =>
    issue(`x-${i}`, links, { title: text, description: text, assignee: text, labels: [text], issue_type: text })
  )
  const page = Page.make(Graph.make(issues, new Map(), all), { ...about, name: hostile[0] ?? "" })

  it("G33: no text of an issue ends a script, opens a tag or reaches the terminal", () => {
    expect(count(page, /<script\b/i)).toBe(2)
    expect(count(page, /<\/script/i)).toBe(2)
    expect(count(page, /<img\b/i)).toBe(0)
    expect(count(page, "<!--")).toBe(0)
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    // a quote inside an attribute would begin another
    const markup = page.replace(/<(script|style)[^>]*>.*?<\/\1>/gs, "")
    expect(markup).toContain("&#39; onload=&#39;x")
    expect(markup).not.toContain("onload='")
    const titles = dataOf(page).issues.map((one: { readonly title: string }) => one.title)
    expect(titles.slice(0, 4)).toEqual(hostile.slice(0, 4))
  })

  it("G33: its policy lets run what it came with and nothing else, and it loads nothing", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? ""
    const hashes = [...page.matchAll(/<(style|script)>(.*?)<\/\1>/gs)].map(([, , text = ""]) =>
      createHash("sha256").update(text).digest("base64")
    )
    expect(hashes).toHaveLength(2)
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hashes[0]}'; script-src 'sha256-${hashes[1]}'; base-uri 'none'; form-action 'none'`
    )
    expect(page.match(/\b(?:src|href|action)=["'](?!#)[^"']*/g)).toBeNull()
    expect(page.match(/https?:\/\/[^"' <]*/g)).toEqual(["http://www.w3.org/2000/svg"])
    // the policy forbids these, and so they would do nothing
    expect(page).not.toMatch(/<[^>]+\s(?:style|on\w+)=/)
  })

  it("tells state by shape and word, priority, type, and how far an epic is", () => {
    const family: ReadonlyArray<Link> = [
      ["app-e", "app-1", "parent-child"],
      ["app-e", "app-2", "parent-child"],
      ["app-1", "app-3"]
    ]
    const graph = Graph.make(
      [
        issue("app-e", family, { issue_type: "epic", priority: 0 }),
        issue("app-1", family, { status: "in_progress" }),
        issue("app-2", family, { status: "closed" }),
        issue("app-3", family, { issue_type: "bug" }),
        issue("app-4", family, { status: "hooked" }),
        issue("app-5", family, { status: "deferred" })
      ],
      new Map([["app-3", ["app-1"]]]),
      all
    )
    const drawn = Page.make(graph, about)
    expect(drawn).toContain("<title>app-e: Issue app-e (ready, P0 · epic 1/2)</title>")
    expect(drawn).toContain("<title>app-1: Issue app-1 (in progress, P2 · task)</title>")
    expect(drawn).toContain("<title>app-2: Issue app-2 (closed, P2 · task)</title>")
    expect(drawn).toContain("<title>app-3: Issue app-3 (waits, P2 · bug)</title>")
    expect(drawn).toContain("<title>app-4: Issue app-4 (hooked, P2 · task)</title>")
    expect(drawn).toContain("<title>app-5: Issue app-5 (deferred, P2 · task)</title>")
    for (const state of ["ready", "in_progress", "closed", "waiting", "other", "deferred"]) {
      expect(count(drawn, new RegExp(`<g class="card ${state}\\b`))).toBe(1)
      expect(drawn).toContain(`id="sign-${state}"`)
    }
    expect(drawn).toContain("<title>app-1 → app-3 (blocks)</title>")
    expect(drawn).toContain('class="edge parent-child"')
  })

  it("is the same for the same issues", () => {
    const { ids, links } = likeAProject()
    expect(Page.make(graphOf(ids, links), about)).toBe(Page.make(graphOf(ids, links), about))
  })
})

describe("bd graph", () => {
  const made = Effect.gen(function* () {
    const at = yield* project
    yield* at.create("Form", "--id", "app-form")
    yield* at.create("Page", "--id", "app-page", "--blocked-by", "app-form")
    yield* at.create("Other", "--id", "app-other")
    yield* at.create("Old", "--id", "app-old")
    yield* at.run("close", "app-old")
    const page = path.join(at.at, "out.html")
    const graph = (...words: ReadonlyArray<string>) => at.run("graph", "-o", page, ...words)
    return { ...at, page, graph }
  })
  const shown = (page: string): ReadonlyArray<string> =>
    dataOf(readFileSync(page, "utf8")).issues.map((one: { readonly id: string }) => one.id)

  it.scopedLive("shows what is not closed; with --all that too; with ids what belongs to them", () =>
    Effect.gen(function* () {
      const { graph, page } = yield* made
      expect(yield* graph()).toMatchObject({ exitCode: 0, stderr: "" })
      expect([...shown(page)].sort()).toEqual(["app-form", "app-other", "app-page"])
      yield* graph("--all")
      expect([...shown(page)].sort()).toEqual(["app-form", "app-old", "app-other", "app-page"])
      yield* graph("page")
      expect([...shown(page)].sort()).toEqual(["app-form", "app-page"])
      expect(dataOf(readFileSync(page, "utf8"))).toMatchObject({
        roots: ["app-page"],
        edges: [{ from: "app-form", to: "app-page", type: "blocks" }]
      })
      expect((yield* graph("app-none")).exitCode).toBe(3)
    })
  )

  it.scopedLive("writes over its own page, and over nothing else unless told to", () =>
    Effect.gen(function* () {
      const { graph, page } = yield* made
      writeFileSync(page, "my own notes")
      const refused = yield* graph()
      expect(refused.exitCode).toBe(2)
      expect(refused.stderr).toContain("--force")
      expect(readFileSync(page, "utf8")).toBe("my own notes")
      expect((yield* graph("--force")).exitCode).toBe(0)
      expect((yield* graph()).exitCode).toBe(0)
      expect(shown(page)).toHaveLength(3)
      expect((yield* graph("--dot")).exitCode).toBe(2)
      // its own as git checks it out with CRLF is its own
      for (const format of ["html", "dot", "mermaid"]) {
        expect((yield* graph("--force", "--format", format)).exitCode).toBe(0)
        writeFileSync(page, readFileSync(page, "utf8").replaceAll("\n", "\r\n"))
        expect((yield* graph("--format", format)).exitCode).toBe(0)
      }
    })
  )

  it.scopedLive("G30: a link to nothing, such as a repository may bring, is not written through", () =>
    Effect.gen(function* () {
      const { at, graph, page, run } = yield* made
      const elsewhere = path.join(at, "elsewhere.html")
      symlinkSync("elsewhere.html", page)
      expect((yield* graph()).stderr).toContain("a link to nothing")
      expect(existsSync(elsewhere)).toBe(false)
      expect((yield* graph("--force")).exitCode).toBe(0)
      expect(shown(elsewhere)).toHaveLength(3)

      // through two links, into .beads: not even when forced
      symlinkSync(".beads/new.jsonl", path.join(at, "one"))
      symlinkSync("one", path.join(at, "two"))
      for (const command of [
        ["graph", "--force", "-o", "two"],
        ["export", "-o", "two"]
      ]) {
        const ran = yield* run(...command.map(word => (word === "two" ? path.join(at, word) : word)))
        expect(ran.exitCode).toBe(2)
        expect(ran.stderr).toContain("lies in")
      }
      expect(existsSync(path.join(at, ".beads/new.jsonl"))).toBe(false)
    })
  )

  it.scopedLive("leaves .beads alone, also when forced", () =>
    Effect.gen(function* () {
      const { at, lines, run } = yield* made
      const before = lines()
      const ran = yield* run("graph", "--force", "-o", path.join(at, ".beads/issues.jsonl"))
      expect(ran.exitCode).toBe(2)
      expect(lines()).toBe(before)
      mkdirSync(path.join(at, "taken"))
      expect(yield* run("graph", "-o", path.join(at, "taken"))).toMatchObject({ exitCode: 1, stdout: "" })
    })
  )

  it.scopedLive("--json writes nothing unless a file is named", () =>
    Effect.gen(function* () {
      const { at, graph, json, page } = yield* made
      const found = yield* json("graph", "app-page")
      expect(found).toMatchObject({
        roots: ["app-page"],
        issues: expect.arrayContaining([expect.objectContaining({ id: "app-form", title: "Form" })]),
        dependencies: [{ issue_id: "app-page", depends_on_id: "app-form", type: "blocks" }]
      })
      expect(Object.keys(found)).not.toContain("output")
      expect(readdirSync(at)).toEqual([".beads"])
      expect(JSON.parse((yield* graph("--json")).stdout)).toMatchObject({ output: page, format: "html" })
      expect(shown(page)).toHaveLength(3)
    })
  )
})
