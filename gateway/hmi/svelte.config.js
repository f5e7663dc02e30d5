export default {
  compilerOptions: { runes: true },
  // A warning of the compiler (accessibility included) fails the build.
  onwarn(warning) {
    throw new Error(`${warning.filename}: ${warning.message}`);
  },
};
