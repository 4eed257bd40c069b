// Generated from samples/sample-feed.csv by scripts/generate/sample-feed.ts: edit that file.

/** The labelled sample feed: documentation addresses and made-up names only. */
export const SAMPLE_FEED = `value,type,verdict,score,confidence,categories,first_seen,last_seen,reference,note
198.51.100.7,ipv4-addr,malicious,87,90,c2,,,,sample
`;
