/** Lists and trees as a terminal shows them, and how wide text is there. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Screen } from "../../src/cli/Stdio.ts"
import * as TextWidth from "../../src/cli/TextWidth.ts"
import { project } from "./harness.ts"

const plain = (columns?: number): Screen => ({ columns, colours: false })

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter(line => line !== "")

const titles = [
  "Fix the login page that nobody can open any more since the last release went out",
  "ログインページを直す、誰も開けないので急いで直してください、お願いします",
  "🚀 launch 👩‍👩‍👧‍👦 family 🇯🇵 flags and so on and so on, until the line is full of them 🚀🚀",
  "e\u0301\u0301\u0301 combining marks: a\u0308o\u0308u\u0308 and so on, e\u0301 and e\u0301 and e\u0301 and more of them"
]

const made = Effect.gen(function* () {
  const at = yield* project
  for (const [i, title] of titles.entries()) yield* at.create(title, "--id", `app-${i}`, "-p", String(i))
  yield* at.create("A bug of Bob's", "--id", "app-bug", "-t", "bug", "-a", "bob", "-l", "backend,ui")
  yield* at.run("dep", "add", "app-1", "app-0")
  yield* at.run("close", "app-3")
  return at
})

describe("the width of text", () => {
  it.each([
    ["abc", 3],
    ["", 0],
    ["日本", 4],
    ["e\u0301", 1],
    ["👩‍👩‍👧‍👦", 2],
    ["🇯🇵", 2],
    ["○", 1]
  ])("%j takes %i cells", (text, cells) => {
    expect(TextWidth.of(text)).toBe(cells)
  })

  it("a cut text is never wider than asked, and no character is cut in two", () => {
    for (const title of titles) {
      for (let cells = 0; cells < 60; cells++) {
        const cut = TextWidth.cut(title, cells)
        expect(TextWidth.of(cut)).toBeLessThanOrEqual(cells)
        expect(cells === 0 || cut === title || cut.endsWith("…")).toBe(true)
        expect(title.startsWith(cut.slice(0, -1))).toBe(true)
        expect(cut).not.toMatch(/\u200d…$/)
      }
    }
  })

  it("wraps between words, and cuts the last line", () => {
    expect(TextWidth.wrap("one two three four", 9, 2)).toEqual(["one two", "three fo…"])
    expect(TextWidth.wrap("one two", 9, 2)).toEqual(["one two"])
    expect(TextWidth.wrap("abcdefghijklmnop", 6, 2)).toEqual(["abcdef", "ghijk…"])
    expect(TextWidth.wrap("日本語日本語", 5, 3)).toEqual(["日本", "語日", "本語"])
    expect(TextWidth.wrap(" ", 5, 2)).toEqual([])
  })
})

describe("on a terminal", () => {
  for (const columns of [40, 80, 200]) {
    it.scopedLive(`no line of a list is wider than ${columns} cells, and the titles stand in a column`, () =>
      Effect.gen(function* () {
        const { runWith } = yield* made
        for (const words of [["list"], ["search", "and"], ["ready"], ["blocked"], ["list", "--tree"]]) {
          const { exitCode, stdout } = yield* runWith({ screen: plain(columns) }, ...words)
          expect(exitCode).toBe(0)
          const lines = linesOf(stdout).filter(line => line.startsWith("app-"))
          expect(lines.length).toBeGreaterThan(0)
          for (const line of lines) expect(TextWidth.of(line)).toBeLessThanOrEqual(columns)
          const heading = linesOf(stdout).find(line => line.startsWith("ID")) ?? ""
          const column = TextWidth.of(heading.slice(0, heading.indexOf("TITLE")))
          for (const line of lines) {
            const title = titles[Number(/^app-(\d)/.exec(line)?.[1])] ?? "A bug"
            const [first] = [...new Intl.Segmenter().segment(title)].map(({ segment }) => segment)
            expect(TextWidth.of(line.slice(0, line.indexOf(`${first}`, 8)))).toBe(column)
          }
        }
      })
    )
  }

  it.scopedLive(
    "shows all columns where there is room, the fewest where there is little, all of a title without a width",
    () =>
      Effect.gen(function* () {
        const { runWith } = yield* made
        const heading = (columns?: number) =>
          Effect.map(runWith({ screen: plain(columns) }, "list"), ({ stdout }) => linesOf(stdout)[0])
        expect(yield* heading(100)).toBe("ID       P   TYPE    STATUS  ASSIGNEE  TITLE")
        expect(yield* heading(50)).toBe("ID       P     STATUS  TITLE")
        expect(yield* heading(36)).toBe("ID       P     TITLE")
        expect(yield* heading(10)).toBe("ID       P     TITLE")
        const { stdout } = yield* runWith({ screen: plain() }, "list")
        for (const title of titles) expect(stdout).toContain(title)
        expect(stdout).toContain("A bug of Bob's  [backend ui]")
      })
  )

  it.scopedLive("colours say what the words say; closed issues are faint", () =>
    Effect.gen(function* () {
      const { runWith } = yield* made
      const { stdout } = yield* runWith({ screen: { columns: 80, colours: true } }, "list")
      expect(stdout).toContain("<cyan|app-0>")
      expect(stdout).toContain("<boldRed|P0>")
      expect(stdout).toContain("<dim|app-3>")
      expect(stdout).toContain("<dim|closed>")
      expect(stdout).toContain("<red|bug>")
    })
  )

  it.scopedLive("G33: a title cannot move the cursor or go on in the next line", () =>
    Effect.gen(function* () {
      const { create, runWith } = yield* project
      yield* create("--title", "red \u001b[31m\u001b[2J and\nmore \u202eback\u0007", "--id", "app-1", "-d", "x")
      for (const words of [["list"], ["ready"], ["search", "red"]]) {
        const { stdout } = yield* runWith({ screen: { columns: 80, colours: true } }, ...words)
        expect(stdout).toContain("red \\x1b[31m\\x1b[2J and\\nmore \\u202eback\\x07")
      }
    })
  )

  it.scopedLive("what asks for a form gets it, and an empty list is no table", () =>
    Effect.gen(function* () {
      const { json, run, runWith } = yield* made
      for (const words of [
        ["list", "--long"],
        ["list", "--fields", "id"],
        ["list", "--format", "dot"],
        ["ready", "--json"]
      ]) {
        expect(yield* runWith({ screen: plain(80) }, ...words)).toEqual(yield* run(...words))
      }
      expect(yield* runWith({ screen: plain(80) }, "list", "-l", "none")).toEqual(yield* run("list", "-l", "none"))
      expect(yield* json("list")).toHaveLength(5)
    })
  )

  it.scopedLive("stale tells how many days", () =>
    Effect.gen(function* () {
      const { runWith } = yield* project
      const stdin = `${JSON.stringify({
        id: "app-old",
        title: "Old",
        status: "open",
        priority: 2,
        issue_type: "task",
        created_at: "2020-01-01T00:00:00Z",
        updated_at: "2020-01-01T00:00:00Z"
      })}\n`
      expect((yield* runWith({ stdin }, "import")).exitCode).toBe(0)
      const { stdout } = yield* runWith({ screen: plain(80) }, "stale")
      expect(stdout).toContain("1 not updated in 30+ days")
      expect(linesOf(stdout)[1]).toMatch(/^ID {7}P {3}DAYS {2}TYPE {4}STATUS {2}TITLE$/)
      expect(linesOf(stdout)[2]).toMatch(/^app-old {2}P2 {2}\d{4} {2}task {2}○ open {4}Old$/)
    })
  )
})

describe("dep tree", () => {
  const forest = Effect.gen(function* () {
    const at = yield* project
    for (const id of ["a", "b", "c", "d", "e"]) yield* at.create(`Issue ${id}`, "--id", `app-${id}`)
    const links = [
      ["a", "b"],
      ["a", "c"],
      ["b", "d"],
      ["c", "d"],
      ["d", "e"],
      ["e", "a", "related"]
    ]
    for (const [from, to, type = "blocks"] of links)
      yield* at.run("dep", "add", `app-${from}`, `app-${to}`, "--type", type)
    return at
  })

  it.scopedLive("opens an issue once, names it where other ways lead to it, and ends circles", () =>
    Effect.gen(function* () {
      const { run } = yield* forest
      expect((yield* run("dep", "tree", "app-a")).stdout).toBe(
        [
          "",
          "🌲 Dependency tree for app-a:",
          "",
          "○ app-a: Issue a [P2] (open)",
          "├── ○ app-b: Issue b [P2] (open)",
          "│   └── ○ app-d: Issue d [P2] (open)",
          "│       └── ○ app-e: Issue e [P2] (open)",
          "│           └── ○ app-a: Issue a [P2] (open) via related (see above)",
          "└── ○ app-c: Issue c [P2] (open)",
          "    └── ○ app-d: Issue d [P2] (open) (see above)",
          ""
        ].join("\n")
      )
    })
  )

  it.scopedLive("tells where it was cut, and how much is below", () =>
    Effect.gen(function* () {
      const { run } = yield* forest
      const { stdout } = yield* run("dep", "tree", "app-a", "--max-depth", "1")
      expect(stdout).toContain("├── ○ app-b: Issue b [P2] (open) … [truncated]")
      expect(stdout).toContain("Cut below depth 1, where 2 issues have more: a greater --max-depth shows it")
    })
  )

  it.scopedLive("on a terminal lines are cut so that the branches stay in sight", () =>
    Effect.gen(function* () {
      const { create, run, runWith } = yield* project
      yield* create(titles[0] ?? "", "--id", "app-0")
      yield* create(titles[1] ?? "", "--id", "app-1")
      yield* run("dep", "add", "app-0", "app-1")
      const { stdout } = yield* runWith({ screen: plain(60) }, "dep", "tree", "app-0")
      const lines = linesOf(stdout).slice(1)
      expect(lines.map(TextWidth.of)).toEqual([60, 60])
      expect(lines[0]).toMatch(/^○ app-0: Fix the login page.*… \[P2\] \(open\)$/)
      expect(lines[1]).toMatch(/^└── ○ app-1: ログイン.*… \[P2\] \(open\)$/)
    })
  )

  it.scopedLive("G33: mermaid and dot keep quotes, brackets and line ends in their labels", () =>
    Effect.gen(function* () {
      const { create, run } = yield* project
      yield* create("--title", 'a "quoted" [one] <b>#35; & \\ | line\nend', "--id", "app-end")
      yield* create("Root", "--id", "app-root", "--blocked-by", "app-end")
      const mermaid = (yield* run("dep", "tree", "app-root", "--format", "mermaid")).stdout
      expect(mermaid).toContain('"☐ app-end: a #34;quoted#34; [one] #60;b#62;#35;35; #38; #92; | line#92;nend"]')
      for (const line of mermaid.split("\n").filter(line => line.includes("["))) {
        expect(line).toMatch(/^ {2}[\w.-]+\["[^"]*"\]$/)
      }
      const dot = (yield* run("dep", "tree", "app-root", "--format", "dot")).stdout
      expect(dot).toContain('a \\"quoted\\" [one] <b>#35; & \\\\ | line\\nend')
      expect(dot).toContain('"app-root" -> "app-end" [label="blocks"')
    })
  )

  it.scopedLive("an id that mermaid cannot take gets another name there", () =>
    Effect.gen(function* () {
      const { run, runWith } = yield* project
      const line = (id: string, more: object = {}) =>
        `${JSON.stringify({ id, title: "T", status: "open", priority: 2, issue_type: "task", created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z", ...more })}\n`
      const link = { issue_id: 'x]" --> y', depends_on_id: "end", type: "blocks", created_at: "2026-01-01T00:00:00Z" }
      const stdin = line("end") + line('x]" --> y', { dependencies: [link] })
      expect((yield* runWith({ stdin }, "import")).exitCode).toBe(0)
      expect((yield* run("dep", "tree", 'x]" --> y', "--format", "mermaid")).stdout).toBe(
        [
          "flowchart TD",
          '  node_1["☐ x]#34; --#62; y: T"]',
          '  node_2["☐ end: T"]',
          "",
          "  node_1 --> node_2",
          ""
        ].join("\n")
      )
    })
  )
})
