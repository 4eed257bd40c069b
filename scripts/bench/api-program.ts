// isMalicious' API in a process of its own, so that its work is not the client's: `api-program.ts LATENCY_MS`. Prints `listening PORT`.
import { startApi } from './gateway-processes.ts';

const { port } = await startApi(Number(process.argv[2] ?? 0));
process.stdout.write(`listening ${port}\n`);
