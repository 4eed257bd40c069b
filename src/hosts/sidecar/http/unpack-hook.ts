import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { codingOf, unknownCoding, UNPACKERS } from './codings.ts';
import { refusalBody } from './replies.ts';

/** A body on its way to fastify, which holds it to the limit of its route: as it came, and as it is unpacked. */
interface CountedBody extends Readable {
  receivedEncodedLength?: number;
}

/** Unpacks the bodies of the routes that fastify reads (hook `preParsing`). */
export async function unpackBody(request: FastifyRequest, reply: FastifyReply, payload: Readable): Promise<Readable | undefined> {
  const coding = codingOf(request.raw);
  if (coding === 'identity') return payload;
  if (coding === null) {
    const refusal = unknownCoding(request.raw);
    await reply.code(refusal.status).send(refusalBody(refusal));
    return undefined;
  }
  const unpacked: CountedBody = payload.pipe(UNPACKERS[coding]());
  unpacked.receivedEncodedLength = 0;
  payload.on('data', (part: Buffer) => {
    unpacked.receivedEncodedLength = (unpacked.receivedEncodedLength ?? 0) + part.length;
  });
  // What is left of a body that was refused is not unpacked to its end.
  reply.raw.once('close', () => unpacked.destroy());
  return unpacked;
}
