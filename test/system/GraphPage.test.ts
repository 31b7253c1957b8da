/** The page of the built `bd graph` in a browser, where there is one. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { bd, ok, repository, run, scratch } from "./bd.ts"

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync)

if (browser === undefined) console.warn("NOT RUN: the page of bd graph in a browser: there is no chromium here")

const hostile = "</script><script>document.title = 'bad'</script><img src=x onerror=\"document.title = 'worse'\">"

describe("the page of bd graph", () => {
  it.skipIf(browser === undefined)(
    `G33: in a browser its script runs, and nothing of a title does${browser === undefined ? " (NOT RUN: no browser)" : ""}`,
    async () => {
      const project = await repository()
      ok(await bd(project, "create", "First", "--id", "t-first", "-d", hostile))
      ok(await bd(project, "create", hostile, "--id", "t-second", "--blocked-by", "t-first"))
      ok(await bd(project, "create", "Third", "--id", "t-third", "--blocked-by", "t-second"))
      ok(await bd(project, "graph", "-o", "page.html"))
      const { href } = pathToFileURL(join(project.directory, "page.html"))
      const words = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${scratch()}`]
      const dumped = await run(
        [browser ?? "", ...words, "--virtual-time-budget=5000", "--dump-dom", `${href}#t-second`],
        { cwd: project.directory, env: { HOME: scratch() } }
      )
      const dom = dumped.stdout
      expect(dom).toContain('<body class="live">')
      expect(dom).toMatch(/<title>Dependency graph of s-\w+<\/title>/)
      expect(dom).not.toMatch(/<img\b/)
      expect(dom.match(/<script\b/g)).toHaveLength(2)
      // the issue that the address names is explained, and what comes before and after it is marked
      expect(dom).toMatch(/<aside[^>]*>.*t-second.*Waits for.*t-first: First.*What waits for it.*t-third: Third/s)
      expect(dom).toMatch(/<g class="card waiting self"[^>]*><title>t-second/)
      expect(dom).toMatch(/<g class="card ready before"[^>]*><title>t-first/)
      expect(dom).toMatch(/<g class="card waiting after"[^>]*><title>t-third/)
    }
  )
})
