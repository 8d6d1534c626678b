//! The tree over the leaves, hashed as in RFC 9162: its root from the leaves in order, and proofs checked without them.

use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of two subtrees as one.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree that grows leaf by leaf, of which only the tops of its full subtrees are kept.
#[derive(Default)]
pub struct Tree {
    /// How many leaves it has.
    pub size: u64,
    tops: Vec<Hash>,
}

impl Tree {
    /// Adds a leaf.
    pub fn add(&mut self, leaf: Hash) {
        let mut top = leaf;
        let mut size = self.size;
        while size % 2 == 1 {
            let Some(left) = self.tops.pop() else { break };
            top = node(&left, &top);
            size /= 2;
        }
        self.tops.push(top);
        self.size += 1;
    }

    /// Its root; that of an empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        self.root_with(&Tree::default())
    }

    /// Its root with another one after it, of which all leaves are fewer than each of its own has below it.
    pub fn root_with(&self, rest: &Tree) -> Hash {
        let tops = rest.tops.iter().rev().chain(self.tops.iter().rev());
        let joined = tops.copied().reduce(|right, left| node(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

/// Whether a leaf at a place leads to the root of a tree of this size (RFC 9162, 2.1.3.2).
pub fn includes(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut top) = (index, size - 1, *leaf);
    for hash in proof {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            top = node(hash, &top);
            while place % 2 == 0 && place != 0 {
                place /= 2;
                last /= 2;
            }
        } else {
            top = node(&top, hash);
        }
        place /= 2;
        last /= 2;
    }
    last == 0 && top == *root
}

/// Whether a tree begins with a smaller one (RFC 9162, 2.1.4.2).
pub fn extends(old_size: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old_size == 0 || old_size > size {
        return false;
    }
    if old_size == size {
        return proof.is_empty() && old_root == root;
    }
    let mut hashes = proof.iter();
    let (mut place, mut last) = (old_size - 1, size - 1);
    while place % 2 == 1 {
        place /= 2;
        last /= 2;
    }
    let first = if old_size.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(first) = first else { return false };
    let (mut old_top, mut top) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            old_top = node(hash, &old_top);
            top = node(hash, &top);
            while place % 2 == 0 && place != 0 {
                place /= 2;
                last /= 2;
            }
        } else {
            top = node(&top, hash);
        }
        place /= 2;
        last /= 2;
    }
    last == 0 && old_top == *old_root && top == *root
}

#[cfg(test)]
mod tests {
    use super::{Hash, Tree, extends, includes, node};
    use sha2::{Digest, Sha256};

    /// The definitions of the RFC, word for word.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                node(&root(left), &root(right))
            }
        }
    }

    fn split(size: usize) -> usize {
        size.next_power_of_two() / 2
    }

    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            [path(index, left), vec![root(right)]].concat()
        } else {
            [path(index - left.len(), right), vec![root(left)]].concat()
        }
    }

    fn consistency(old_size: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
        if old_size == leaves.len() {
            return if is_whole { Vec::new() } else { vec![root(leaves)] };
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old_size <= left.len() {
            [consistency(old_size, left, is_whole), vec![root(right)]].concat()
        } else {
            [consistency(old_size - left.len(), right, false), vec![root(left)]].concat()
        }
    }

    #[test]
    fn roots_and_proofs_are_those_of_the_rfc_and_no_altered_one_is_accepted() {
        let leaves: Vec<Hash> = (0..40u8).map(|number| Sha256::digest([0, number]).into()).collect();
        let mut tree = Tree::default();
        for size in 0..=leaves.len() {
            let all = &leaves[..size];
            let top = root(all);
            assert_eq!(tree.root(), top, "the root of {size}");
            for (index, leaf) in all.iter().enumerate() {
                let proof = path(index, all);
                let holds = |index: usize, proof: &[Hash]| includes(leaf, index as u64, size as u64, proof, &top);
                assert!(holds(index, &proof), "{index} of {size}");
                assert!(altered(&proof).iter().all(|wrong| !holds(index, wrong)), "{index} of {size}");
                assert!(!holds(index + 1, &proof), "{index} of {size}");
            }
            for old_size in 1..=size {
                let proof = consistency(old_size, all, true);
                let old_top = root(&leaves[..old_size]);
                let holds = |proof: &[Hash], old: &Hash| extends(old_size as u64, old, size as u64, &top, proof);
                assert!(holds(&proof, &old_top), "{old_size} in {size}");
                assert!(altered(&proof).iter().all(|wrong| !holds(wrong, &old_top)), "{old_size} in {size}");
                assert!(!holds(&proof, &[7; 32]), "{old_size} in {size}");
            }
            if let Some(leaf) = leaves.get(size) {
                tree.add(*leaf);
            }
        }
    }

    /// A proof with each of its hashes changed, left out or doubled, and with one more.
    fn altered(proof: &[Hash]) -> Vec<Vec<Hash>> {
        let mut all = vec![[proof, &[[9; 32]]].concat()];
        for place in 0..proof.len() {
            let mut changed = proof.to_vec();
            changed[place][0] ^= 1;
            let mut shorter = proof.to_vec();
            shorter.remove(place);
            let mut longer = proof.to_vec();
            longer.insert(place, proof[place]);
            all.extend([changed, shorter, longer]);
        }
        all
    }
}
