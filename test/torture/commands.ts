/** A small project and every command that changes something in it, for tests that break them off. */
import { appendFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bd, bdCommand, copyOf, ok, type Repository, repository, run } from "../system/bd.ts"
import { importedFields, importedLine } from "./history.ts"

/** A project with an epic whose only child is closed, links, a deleted issue, and one that was kept back. */
export const template = async (): Promise<Repository> => {
  const place = await repository()
  const run = async (...words: ReadonlyArray<string>) => ok(await bd(place, ...words))
  await run("create", "epic", "--id", "t-epic", "-t", "epic")
  await run("create", "child", "--parent", "t-epic")
  await run("create", "one", "--id", "t-one", "-l", "red")
  await run("create", "two", "--id", "t-two", "--deps", "blocks:t-one")
  await run("create", "gone", "--id", "t-gone")
  await run("close", "t-epic.1", "--reason", "done")
  await run("delete", "t-gone", "--force")
  return place
}

export interface Command {
  readonly words: ReadonlyArray<string>
  readonly stdin?: string
  /** What a crash of it may leave for good. */
  readonly left?: RegExp
}

/** Of the small files that it writes; git ignores them, and doctor removes them. */
const smallFile = /^\.(\.gitignore|metadata\.json|config\.yaml|gitignore.*\.backup)\.\d+\.tmp$/

/** Each changes issues. Of one issue each: of several ids each is a change by itself. */
export const commands: Readonly<Record<string, Command>> = {
  create: { words: ["create", "new", "--parent", "t-epic", "--json"] },
  q: { words: ["q", "new"] },
  update: { words: ["update", "t-one", "--title", "new", "--append-notes", "more", "--json"] },
  claim: { words: ["claim", "t-one", "--json"] },
  "ready --claim": { words: ["ready", "--claim", "--json"] },
  close: { words: ["close", "t-one", "--reason", "done", "--json"] },
  reopen: { words: ["reopen", "t-epic.1", "--json"] },
  assign: { words: ["assign", "t-one", "bob", "--json"] },
  priority: { words: ["priority", "t-one", "0", "--json"] },
  note: { words: ["note", "t-one", "more", "--json"] },
  delete: { words: ["delete", "t-one", "--force", "--json"] },
  undelete: { words: ["undelete", "t-gone", "--json"] },
  dep: { words: ["dep", "t-epic", "--blocked-by", "t-two", "--json"] },
  "dep add": { words: ["dep", "add", "t-epic", "t-two", "--json"] },
  link: { words: ["link", "t-epic", "t-two", "--type", "related", "--json"] },
  "dep remove": { words: ["dep", "remove", "t-two", "t-one", "--json"] },
  "label add": { words: ["label", "add", "t-one", "green", "--json"] },
  tag: { words: ["tag", "t-one", "green", "--json"] },
  "label remove": { words: ["label", "remove", "t-one", "red", "--json"] },
  "comments add": { words: ["comments", "add", "t-one", "said", "--json"] },
  comment: { words: ["comment", "t-one", "said", "--json"] },
  "epic close-eligible": { words: ["epic", "close-eligible", "--json"] },
  "rename-prefix": { words: ["rename-prefix", "u", "--json"], left: smallFile },
  import: { words: ["import", "--json"], stdin: importedLine({ id: "t-new", title: "imported" }) }
}

export interface PlacedCommand extends Command {
  /** Makes the template what the command has something to do with. */
  readonly in?: (place: Repository) => Promise<unknown>
}

const keepBack = async (place: Repository) => ok(await bd(place, "create", "kept back", "--no-auto-flush"))

const take = async (place: Repository, ...fields: ReadonlyArray<object>) =>
  ok(
    await run(bdCommand("import"), {
      cwd: place.directory,
      stdin: fields.map(each => `${JSON.stringify(each)}\n`).join("")
    })
  )

/** An issue that depends on one that does not exist. */
const takeDangling = (place: Repository) =>
  take(place, {
    ...importedFields({ id: "t-loose", title: "loose" }),
    dependencies: [
      { issue_id: "t-loose", depends_on_id: "t-nowhere", type: "blocks", created_at: "2026-01-01T00:00:00Z" }
    ]
  })

/** Commands that change other files, or need a project in a state of their own. */
export const placedCommands: Readonly<Record<string, PlacedCommand>> = {
  init: {
    words: ["init", "--prefix", "u", "--json"],
    in: async place => {
      for (const name of ["beads.db", "config.yaml", "metadata.json", ".gitignore", "issues.jsonl.lock"])
        rmSync(join(place.beads, name))
    },
    left: smallFile
  },
  "create --file": {
    words: ["create", "--file", "-", "--json"],
    stdin: '{"id":"t-f","title":"first","key":"f","blocks":["t-one"]}\n{"id":"t-s","title":"second","parent":"f"}\n'
  },
  flush: { words: ["flush", "--json"], in: keepBack },
  "sync --flush-only": { words: ["sync", "--flush-only", "--json"], in: keepBack },
  "sync --import-only": {
    words: ["sync", "--import-only", "--json"],
    in: async place => appendFileSync(place.issueFile, importedLine({ id: "t-zzz", title: "pulled" }))
  },
  "config set": { words: ["config", "set", "jira.url", "there", "--json"], left: smallFile },
  "config unset": {
    words: ["config", "unset", "jira.url", "--json"],
    in: async place => ok(await bd(place, "config", "set", "jira.url", "there")),
    left: smallFile
  },
  "duplicates --auto-merge": {
    words: ["duplicates", "--auto-merge", "--json"],
    in: async place => {
      for (const id of ["t-same", "t-same2"]) ok(await bd(place, "create", "the same", "--id", id))
    }
  },
  "repair-deps --fix": { words: ["repair-deps", "--fix", "--json"], in: takeDangling },
  "validate --fix-all": { words: ["validate", "--checks", "orphans", "--fix-all", "--json"], in: takeDangling },
  "detect-pollution --clean": {
    words: ["detect-pollution", "--clean", "--yes", "--json"],
    in: async place => ok(await bd(place, "create", "test-left behind"))
  },
  "doctor --fix": {
    words: ["doctor", "--fix", "--json"],
    in: async place => {
      await keepBack(place)
      writeFileSync(join(place.beads, ".gitignore"), "beads.db\n")
      writeFileSync(join(place.beads, ".issues.jsonl.999999.0a.tmp"), "half a li")
    },
    left: smallFile
  }
}

/** A copy of the project as this command wants it. */
export const placeOf = async (project: Repository, command: PlacedCommand): Promise<Repository> => {
  const place = copyOf(project)
  await command.in?.(place)
  return place
}
