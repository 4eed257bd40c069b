// A process of its own that looks up its arguments and prints their statuses: for what several processes promise together.
import { openEngine } from '../../src/compose/open-engine.ts';

const [timeoutMs = '1000', ...values] = process.argv.slice(2);
const { engine } = await openEngine({ env: process.env });
const found = await engine.enrichMany(values, { timeoutMs: Number(timeoutMs) });
const statuses = values.map((value) => found.get(value)?.answer.status);
await engine.close();
process.stdout.write(JSON.stringify(statuses));
