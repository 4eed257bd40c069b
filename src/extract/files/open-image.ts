import { convertIndexedToRgb, decode as decodePng } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import jpeg from 'jpeg-js';
import { decodeQRBatch } from 'qr/decode.js';
import type { Image } from 'qr/decode.js';
import { isPng } from '../file-signature.ts';
import type { Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** Larger pictures are photographs: a code that somebody is to scan needs no more. */
const MAX_BYTES = 16 << 20;
const MAX_PIXELS = 12_000_000;
const MAX_DECODER_MIB = 256;
const WHITE = 255;

/**
 * Opens a PNG or JPEG picture: what its QR codes say. Only programs that may carry the decoders (75 KB) and take the time (0.1 s a megapixel)
 * import this.
 */
export async function openImage(bytes: Uint8Array): Promise<Opened> {
  if (bytes.length > MAX_BYTES) return opened({ unread: `a picture of more than ${MAX_BYTES} bytes: not searched for QR codes` });
  const image = decodeImage(bytes);
  if (typeof image === 'string') return opened({ unread: `a picture ${image}: not searched for QR codes` });
  const [results = []] = await decodeQRBatch([image]);
  const texts = results.filter((result) => typeof result === 'string').map((text) => ({ label: 'qr', text, isPage: false }));
  return opened({ texts });
}

/** The pixels; a text: why there are none. */
function decodeImage(bytes: Uint8Array): Image | string {
  try {
    if (!isPng(bytes)) {
      const limits = { maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: MAX_DECODER_MIB };
      return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: true, tolerantDecoding: true, ...limits });
    }
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // IHDR is the first chunk (PNG 3rd ed. §5.6): its size is known before anything is unpacked.
    if (header.getUint32(16) * header.getUint32(20) > MAX_PIXELS) return `of more than ${MAX_PIXELS} pixels`;
    return pixelsOf(decodePng(bytes));
  } catch (error) {
    // Both decoders throw plain errors for whatever they cannot read.
    return `that cannot be read (${error instanceof Error ? error.message.slice(0, 80) : 'broken'})`;
  }
}

/** Red, green, blue and full opacity, on white: a code may be drawn on nothing. */
function pixelsOf(png: DecodedPng): Image {
  const { width, height } = png;
  const { samples, channels } = png.palette === undefined ? samplesOf(png) : paletteOf(png);
  const data = new Uint8Array(width * height * 4);
  const hasAlpha = channels === 2 || channels === 4;
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const from = pixel * channels;
    const alpha = hasAlpha ? (samples[from + channels - 1] ?? WHITE) / WHITE : 1;
    for (let color = 0; color < 3; color += 1) {
      const value = samples[from + (channels < 3 ? 0 : color)] ?? WHITE;
      data[pixel * 4 + color] = value * alpha + WHITE * (1 - alpha);
    }
    data[pixel * 4 + 3] = WHITE;
  }
  return { width, height, data };
}

interface Samples {
  readonly samples: ArrayLike<number>;
  readonly channels: number;
}

function paletteOf(png: DecodedPng): Samples {
  return { samples: convertIndexedToRgb(png), channels: png.palette?.[0]?.length ?? 3 };
}

/** Eight bits a sample, whatever the picture has. */
function samplesOf({ width, height, data, depth, channels }: DecodedPng): Samples {
  if (depth === 8) return { samples: data, channels };
  const perRow = width * channels;
  if (depth === 16) return { samples: Uint8Array.from(data, (value) => value >> 8), channels };
  const bytesPerRow = Math.ceil((perRow * depth) / 8);
  const samples = new Uint8Array(perRow * height);
  for (let at = 0; at < samples.length; at += 1) {
    const bit = (at % perRow) * depth;
    const byte = data[Math.floor(at / perRow) * bytesPerRow + (bit >> 3)] ?? 0;
    samples[at] = (((byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1)) * WHITE) / (2 ** depth - 1);
  }
  return { samples, channels };
}
