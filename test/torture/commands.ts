/** A small project and every command that changes something in it, for tests that break them off. */
import { bd, ok, type Repository, repository } from "../system/bd.ts"
import { importedLine } from "./history.ts"

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

/** Of one issue each: of several ids each is a change by itself. */
export const commands: Readonly<Record<string, { readonly words: ReadonlyArray<string>; readonly stdin?: string }>> = {
  create: { words: ["create", "new", "--parent", "t-epic", "--json"] },
  q: { words: ["q", "new"] },
  update: { words: ["update", "t-one", "--title", "new", "--append-notes", "more", "--json"] },
  claim: { words: ["claim", "t-one", "--json"] },
  "ready --claim": { words: ["ready", "--claim", "--json"] },
  close: { words: ["close", "t-one", "--reason", "done", "--json"] },
  reopen: { words: ["reopen", "t-epic.1", "--json"] },
  delete: { words: ["delete", "t-one", "--force", "--json"] },
  undelete: { words: ["undelete", "t-gone", "--json"] },
  "dep add": { words: ["dep", "add", "t-epic", "t-two", "--json"] },
  "dep remove": { words: ["dep", "remove", "t-two", "t-one", "--json"] },
  "label add": { words: ["label", "add", "t-one", "green", "--json"] },
  "comments add": { words: ["comments", "add", "t-one", "said", "--json"] },
  "epic close-eligible": { words: ["epic", "close-eligible", "--json"] },
  "rename-prefix": { words: ["rename-prefix", "u", "--json"] },
  import: { words: ["import", "--json"], stdin: importedLine({ id: "t-new", title: "imported" }) }
}
