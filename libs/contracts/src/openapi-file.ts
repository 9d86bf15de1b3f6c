/** Where `npm run generate` writes the OpenAPI document of a service. */
export const openApiFile = (service: string): URL => new URL(`../generated/openapi/${service}.json`, import.meta.url);
