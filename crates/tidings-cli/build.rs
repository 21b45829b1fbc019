//! Tells the binary which target it is built for; only a build script is told.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=TIDINGS_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
