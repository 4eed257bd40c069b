/** The engines that assets are made for: Elasticsearch 8.14+ and 9, OpenSearch 2.x and 3.x, Elasticsearch 7.10 without x-pack. */
export const TARGETS = ['elasticsearch', 'opensearch', 'elasticsearch-oss-7.10'] as const;
