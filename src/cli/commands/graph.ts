import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import { UsageError } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { graph as spec } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as GraphText from "../GraphText.ts"
import * as Graph from "../graph/Graph.ts"
import * as Output from "../Output.ts"
import * as OutputFile from "../OutputFile.ts"
import * as Plural from "../Plural.ts"
import * as Render from "../Render.ts"
import { Session } from "../Session.ts"
import { Settings } from "../Settings.ts"
import { Stdio } from "../Stdio.ts"

/** Where the page goes if nothing is said. */
const usual = "beads-graph.html"

type Format = "html" | "dot" | "mermaid"

/** How a file begins that this command wrote. */
const beginnings: Readonly<Record<Format, RegExp>> = {
  html: /^<!DOCTYPE html>[\s\S]*<meta name="generator" content="bd graph">/,
  dot: /^digraph dependencies \{/,
  mermaid: /^flowchart TD\r?\n/
}

/** Refuses to write over what somebody else made. A pipe or a device takes anything. */
const ensureOwn = Effect.fnUntraced(function* (file: string, format: Format) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* Effect.option(fs.stat(file))
  if (found._tag === "None" && (yield* Effect.option(fs.readLink(file)))._tag === "Some") {
    return yield* new UsageError({
      detail: `${file} is a link to nothing`,
      hint: "name another file with -o, or say --force to write where it leads"
    })
  }
  if (found._tag === "None" || found.value.type !== "File" || found.value.size === 0n) return
  const begins = yield* Effect.orElseSucceed(fs.readFile(file), () => new Uint8Array())
  const text = new TextDecoder().decode(begins.subarray(0, 2000))
  if (beginnings[format].test(text)) return
  return yield* new UsageError({
    detail: `${file} exists, and bd graph has not written it`,
    hint: "name another file with -o, or say --force to write over it"
  })
})

/** A name for the whole: the directory of the project. */
const projectName = Effect.gen(function* () {
  const path = yield* Path.Path
  const { location } = yield* Session
  return path.basename(path.dirname(path.resolve(location.directory)))
})

const render = Effect.fnUntraced(function* (graph: Graph.Graph, format: Format) {
  const issues = graph.nodes.map(({ issue }) => issue)
  if (format === "dot") return `${GraphText.dot(issues)}\n`
  if (format === "mermaid") return `${GraphText.mermaidGraph(issues)}\n`
  const name = yield* projectName
  const at = new Date(yield* Clock.currentTimeMillis).toISOString().slice(0, 16).replace("T", " ")
  const Page = yield* Effect.promise(() => import("../graph/Page.ts"))
  return Page.make(graph, { at: `${at} UTC`, name })
})

export const run = Effect.fn("bd.graph")(function* ({ args, flags }: Input<typeof spec>) {
  const tracker = yield* Tracker
  const path = yield* Path.Path
  const { json } = yield* Settings
  const { location } = yield* Session
  const format = flags.dot ? "dot" : (flags.format ?? "html")
  const roots = (yield* Effect.forEach(args.ids, id => tracker.show(id))).map(({ issue }) => issue.id)
  const { items } = yield* tracker.list({})
  const waits = new Map((yield* tracker.blocked).map(({ blockedBy, issue }) => [issue.id, blockedBy]))
  const graph = Graph.make(
    items.map(({ issue }) => issue),
    waits,
    { roots: [...new Set(roots)], closed: flags.all }
  )

  const wanted = flags.output ?? (flags.html || format !== "html" || json ? undefined : usual)
  const output = wanted === "-" ? undefined : wanted
  if (output !== undefined) {
    const where = yield* OutputFile.real(path.resolve(output))
    if (path.dirname(where) === (yield* OutputFile.real(location.directory))) {
      return yield* new UsageError({
        detail: `${output} lies in ${location.directory}, which is the tracker's own`,
        hint: "name a file outside of it"
      })
    }
    if (!flags.force) yield* ensureOwn(output, format)
    yield* OutputFile.write(output, new TextEncoder().encode(yield* render(graph, format)))
  } else if (!json) {
    const stdio = yield* Stdio
    return yield* stdio.out(yield* render(graph, format))
  }
  const hidden = items.length - graph.nodes.length
  const document = {
    ...(output === undefined ? {} : { output, format }),
    roots: graph.roots,
    issues: graph.nodes.map(({ issue }) => Render.json(issue)),
    dependencies: graph.edges.map(({ from, to, type }) => ({ issue_id: to, depends_on_id: from, type }))
  }
  yield* Output.confirm({
    json: () => document,
    text: () =>
      [
        `✓ Wrote ${Escape.line(output ?? "")}: ${Plural.of(graph.nodes.length, "issue")}, ${Plural.of(graph.edges.length, "link")}`,
        ...(graph.nodes.length === 0 && items.length === 0
          ? [`There is no issue yet: bd create "TITLE" makes one`]
          : []),
        ...(format === "html" && graph.nodes.length > 0 ? ["Open it in a browser"] : []),
        ...(roots.length === 0 && hidden > 0 ? [`Not shown: ${hidden} closed; --all shows them`] : [])
      ].join("\n")
  })
})
