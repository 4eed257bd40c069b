import { LRUCache } from 'lru-cache';
import type { Memory, MemoryEntry } from './provider-view.ts';

/** Memory for `entries` indicators; the one that was not asked for longest goes first. */
export function createLruMemory(entries: number): Memory {
  return new LRUCache<string, MemoryEntry>({ max: entries });
}
