import { harden } from "rehype-harden";
import rehypeSanitize from "rehype-sanitize";

/**
 * What people and agents write. Markup in it is text: raw HTML is dropped, the rest goes through an allow-list, links keep
 * to http, https and mailto, and no image is loaded but our own files: an address of a picture is how a tricked agent would
 * carry data out.
 */
export function safe(origin: string): readonly unknown[] {
  return [
    rehypeSanitize,
    [
      harden,
      {
        defaultOrigin: origin,
        allowedLinkPrefixes: ["*"],
        allowedImagePrefixes: [`${origin}/f/`],
        allowDataImages: false,
      },
    ],
  ];
}
