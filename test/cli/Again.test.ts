/** A command that is repeated, because its answer got lost say, does no harm. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { project } from "./harness.ts"

/** What is asked for, and what must have happened for it to be something new. */
const repeated: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>?]> = [
  [["create", "One", "--external-ref", "gh-1"]],
  [["close", "app-1", "--reason", "done"]],
  [
    ["reopen", "app-1"],
    ["close", "app-1"]
  ],
  [["claim", "app-1"]],
  [["update", "app-1", "--claim"]],
  [["update", "app-1", "--status", "in_progress", "--priority", "0", "--add-label", "x", "--parent", "app-2"]],
  [["assign", "app-1", "bob"]],
  [["priority", "app-1", "4"]],
  [["label", "add", "app-1", "app-2", "x"]],
  [["tag", "app-1", "x"]],
  [
    ["label", "remove", "app-1", "x"],
    ["label", "add", "app-1", "x"]
  ],
  [["dep", "add", "app-1", "app-2"]],
  [["dep", "app-1", "--blocked-by", "app-2"]],
  [["link", "app-1", "app-2", "--type", "related"]],
  [
    ["dep", "remove", "app-1", "app-2"],
    ["dep", "add", "app-1", "app-2"]
  ],
  [["delete", "app-1", "--force"]],
  [
    ["undelete", "app-1"],
    ["delete", "app-1", "--force"]
  ],
  [["rename-prefix", "web"]],
  [["config", "set", "jira.url", "x"]],
  [
    ["config", "unset", "jira.url"],
    ["config", "set", "jira.url", "x"]
  ],
  [["init"]],
  [["flush"]]
]

describe("asked again", () => {
  for (const [words, first] of repeated) {
    it.scopedLive(`G15: bd ${words.join(" ")}: success, and nothing changes`, () =>
      Effect.gen(function* () {
        const { json, lines, run } = yield* project
        for (const id of ["app-1", "app-2"]) yield* run("create", "Title", "--id", id)
        if (first !== undefined) expect(yield* run(...first)).toMatchObject({ exitCode: 0 })
        expect(yield* run(...words)).toMatchObject({ exitCode: 0 })
        const before = [lines(), yield* json("log", "--limit", "0")]
        for (const also of [[], ["--json"]]) {
          expect(yield* run(...words, ...also)).toMatchObject({ exitCode: 0 })
          expect([lines(), yield* json("log", "--limit", "0")]).toEqual(before)
        }
      })
    )
  }
})
