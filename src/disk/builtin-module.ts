import { createRequire } from 'node:module';

/** Loads a module of Node when it is needed, without waiting. `process.getBuiltinModule` came with Node 22.3. */
export const builtinModule = ((id: string): unknown => {
  // On older ones the name is missing, whatever its type says.
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown };
  return getBuiltinModule ? getBuiltinModule(id) : createRequire(import.meta.url)(id);
}) as typeof process.getBuiltinModule;
