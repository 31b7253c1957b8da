/** The example of the README, a worker that embeds the layers, beside other processes. */
import { mkdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildSync } from "esbuild"
import { describe, expect, it } from "vitest"
import { bd, issues, ok, repository, start, stored } from "./bd.ts"
import { until } from "./git.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** An example as JavaScript that imports the built package by its name, as an application would. */
const compiled = (source: string): string => {
  const outfile = join(root, "dist/examples", `${basename(source, ".ts")}.mjs`)
  mkdirSync(join(root, "dist/examples"), { recursive: true })
  buildSync({
    entryPoints: [join(root, source)],
    outfile,
    format: "esm",
    platform: "node",
    packages: "external",
    tsconfigRaw: {}
  })
  return outfile
}

describe("a worker that embeds the layers", () => {
  it("G7, G13, G31: it works beside twenty bd processes, loses nothing, and publishes its last changes when it is ended", async () => {
    const project = await repository()
    const worker = start([process.execPath, compiled("examples/worker.ts")], { cwd: project.directory })
    const titles = Array.from({ length: 20 }, (_, i) => `job ${i}`)
    const created = await Promise.all(titles.map(title => bd(project, "create", title)))
    for (const ended of created) ok(ended)
    await until(() => worker.said().stdout.split("closed ").length > 20)
    worker.child.kill("SIGINT")
    await worker.ended
    expect(worker.said().stdout).toMatch(/^flush: Idle\nflush: Waiting\n/)
    expect(
      issues(project)
        .map(({ title }) => title)
        .sort()
    ).toEqual([...titles].sort())
    const text = readFileSync(project.issueFile, "utf8")
    expect(text.split('"status":"closed"').length - 1).toBe(20)
    expect(text.split("seen by the worker").length - 1).toBe(20)
    expect(stored(project).marks).toEqual([])
  })

  // a machine that is busy with other things lags by itself: then it is measured again
  it("G2: while another process holds the lock for seconds, its event loop runs on, and its change waits", {
    retry: 2
  }, async () => {
    const project = await repository()
    const waiting = start([process.execPath, compiled("test/system/lag.ts"), project.beads], { cwd: project.directory })
    const { exitCode, stdout } = await waiting.ended
    expect(exitCode).toBe(0)
    const { held, lag, waited } = JSON.parse(stdout)
    expect(held).toBeGreaterThanOrEqual(5_000)
    expect(waited).toBeGreaterThanOrEqual(held - 500)
    expect(lag).toBeLessThan(100)
    expect(issues(project).map(({ title }) => title)).toEqual(["late"])
  })

  it("the README shows the example as it is", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8")
    const example = readFileSync(join(root, "examples/worker.ts"), "utf8")
    expect(readme).toContain(example.slice(example.indexOf("import ")).trim())
  })
})
