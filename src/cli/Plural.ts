/** A number of things in words: `1 issue`, `2 issues`. Pure. */
export const of = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
