/** The code of the engine, from what an earlier process compiled where there is that; `import`ed at the first row, not before. */
export async function loadEngine(): Promise<typeof import('./engine-for-search.ts')> {
  const { keepCompiled } = await import('../../../compose/process/keep-compiled.ts');
  keepCompiled(process.env);
  return import('./engine-for-search.ts');
}
