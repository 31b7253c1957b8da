/** A file as its text: vitest and `scripts/build.ts` both give it. */
declare module "*?raw" {
  const text: string
  export default text
}
