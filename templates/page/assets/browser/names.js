/** The grammar of repository names (distribution/reference). */

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** @param {string} name @returns {boolean} whether a repository can have this name */
export const isName = (name) => name.length < 256 && NAME.test(name);
