/** The real issue files of `test/data`: other people's issues, to load and to give back unharmed. */
import { readdirSync, readFileSync } from "node:fs"

const directory = new URL("data/", import.meta.url)

export const realFiles: ReadonlyArray<readonly [name: string, bytes: Buffer]> = readdirSync(directory)
  .filter(name => name.endsWith(".jsonl"))
  .map(name => [name, readFileSync(new URL(name, directory))])

if (realFiles.length < 3) throw new Error("real issue files are missing in test/data")
