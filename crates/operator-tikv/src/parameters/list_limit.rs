//! How many items an observation gives at most, as a parameter.

use crate::parameters::bounded::bounded;

bounded! {
    /// How many items to give at most: 1 to `MOST`, and `DEFAULT` unless told.
    Limit[const DEFAULT: u16, const MOST: u16][DEFAULT, MOST](u16): 1 to MOST, "a limit", default DEFAULT
}

impl<const DEFAULT: u16, const MOST: u16> Limit<DEFAULT, MOST> {
    /// Cuts a list, and says whether anything was cut off.
    pub(crate) fn cut<T>(self, items: &mut Vec<T>) -> bool {
        let most = usize::from(self.get());
        let is_longer = items.len() > most;
        items.truncate(most);
        is_longer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_within_its_bounds_and_says_what_it_cut() {
        let limit: Limit<2, 4> = Limit::default();
        let mut items = vec![1, 2, 3];
        assert!(limit.cut(&mut items));
        assert_eq!(items, [1, 2]);
        assert!(!limit.cut(&mut items));
        for (given, right) in [("0", false), ("1", true), ("4", true), ("5", false)] {
            assert_eq!(
                serde_json::from_str::<Limit<2, 4>>(given).is_ok(),
                right,
                "{given}"
            );
        }
    }
}
